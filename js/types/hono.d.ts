import type { MiddlewareHandler } from 'hono'
import type { AuthenticateOptions, AnyVerifier } from './guard.js'
import type { Verified } from './index.js'

export type { AnyVerifier, AuthenticateOptions } from './guard.js'

/** What `c.get('auth')` has: `new Hono<AuthEnv>()`. */
export interface AuthEnv {
  Variables: { auth: Verified }
}

/** The same where a token is optional. */
export interface OptionalAuthEnv {
  Variables: { auth: Verified | undefined }
}

/**
 * Verifies the bearer token of a request, and has it in `c.get('auth')`. Answers itself what is refused: 401 for the token's
 * fault, 503 for ours, as RFC 6750 says it. A lazy verifier is refreshed through `c.executionCtx`.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 */
export function authenticate(
  verifier: AnyVerifier,
  options?: AuthenticateOptions & { optional?: false },
): MiddlewareHandler<AuthEnv>
export function authenticate(verifier: AnyVerifier, options: AuthenticateOptions): MiddlewareHandler<OptionalAuthEnv>

/**
 * Lets pass who has all of these scopes; 403 `insufficient_scope` otherwise, and 401 without a verified token.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 */
export function requireScope(...scopes: [string, ...string[]]): MiddlewareHandler
