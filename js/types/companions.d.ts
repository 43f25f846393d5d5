import type { AnyVerifier } from './guard.js'

export type { AnyVerifier } from './guard.js'

/**
 * For the option `isRevoked` of `express-jwt`: rejects tokens of kicked users and sessions. `jsonwebtoken` does not
 * support Ed25519, so this is for tokens that your own back end signs and that carry the issuer's `iss`, `iat`, `gid`
 * and `sid`. If the token is not at fault (for example because no list is available), the error has status 503.
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
 * For the option `trusted` of `@fastify/jwt`: rejects tokens of kicked users and sessions. With `verify: { complete:
 * true }` it also rejects tokens signed with a retired key. If the token is not at fault (for example because no list
 * is available), the error has status 503.
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
