import type { AnyVerifier } from './guard.js'

export type { AnyVerifier } from './guard.js'

/**
 * The `isRevoked` of `express-jwt`: refuses what was kicked. `jsonwebtoken` knows no Ed25519, so this is for tokens that your own
 * back end signs and that carry `iss`, `iat`, `gid` and `sid` of the issuer's. What is our fault (no list) is an error with status 503.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 */
export function isRevoked(
  verifier: AnyVerifier,
): (request: unknown, token: { payload: string | object } | undefined) => Promise<boolean>

/**
 * The `trusted` of `@fastify/jwt`: refuses what was kicked. With `verify: { complete: true }` it refuses retired keys too. What
 * is our fault (no list) is an error with status 503.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 */
export function trusted(verifier: AnyVerifier): (request: unknown, decodedToken: object) => Promise<boolean>
