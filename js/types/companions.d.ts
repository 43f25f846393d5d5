import type { AnyVerifier } from './guard.js'

export type { AnyVerifier } from './guard.js'

/**
 * For the option `isRevoked` of `express-jwt`: rejects tokens of kicked users and sessions. `jsonwebtoken` does not
 * support Ed25519, so this is for tokens that your own back end signs and that carry the issuer's `iss`, `iat`, `gid`
 * and `sid`. If the token is not at fault (no list is available), the error has status 503.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 */
export function isRevoked(
  verifier: AnyVerifier,
): (request: unknown, token: { payload: string | object } | undefined) => Promise<boolean>

/**
 * For the option `trusted` of `@fastify/jwt`: rejects tokens of kicked users and sessions. With
 * `verify: { complete: true }` it also rejects tokens signed with a retired key. If the token is not at fault (no
 * list is available), the error has status 503.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 */
export function trusted(verifier: AnyVerifier): (request: unknown, decodedToken: object) => Promise<boolean>
