import type { AnyVerifier } from './guard.js'

export type { AnyVerifier } from './guard.js'

/**
 * Returns a function for the option `isRevoked` of `express-jwt`. The function rejects tokens of kicked users and
 * sessions. Use it for tokens that your own back end signs, because `jsonwebtoken` does not support Ed25519. The tokens
 * must have the `iss`, `iat`, `gid` and `sid` of the issuer's tokens. If the verifier cannot check a token (for example
 * because no list is available), the function throws an error with status 503.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 *
 * @example
 * ```ts
 * import { expressjwt } from 'express-jwt'
 * import { isRevoked } from 'doorlist/companions'
 *
 * const middleware = expressjwt({ secret, algorithms: ['HS256'], isRevoked: isRevoked(verifier) })
 * ```
 */
export function isRevoked(
  verifier: AnyVerifier,
): (request: unknown, token: { payload: string | object } | undefined) => Promise<boolean>

/**
 * Returns a function for the option `trusted` of `@fastify/jwt`. The function rejects tokens of kicked users and
 * sessions. With `verify: { complete: true }` it also rejects tokens that were signed with a retired key. If the
 * verifier cannot check a token (for example because no list is available), the function throws an error with status
 * 503.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 *
 * @example
 * ```ts
 * import fastify from 'fastify'
 * import fastifyJwt from '@fastify/jwt'
 * import { trusted } from 'doorlist/companions'
 *
 * await fastify().register(fastifyJwt, { secret, trusted: trusted(verifier) })
 * ```
 */
export function trusted(verifier: AnyVerifier): (request: unknown, decodedToken: object) => Promise<boolean>
