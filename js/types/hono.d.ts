import type { MiddlewareHandler } from 'hono'
import type { AuthenticateOptions, AnyVerifier } from './guard.js'
import type { Verified } from './index.js'

export type { AnyVerifier, AuthenticateOptions } from './guard.js'

/** Types `c.get('auth')`: `new Hono<AuthEnv>()`. */
export interface AuthEnv {
  Variables: { auth: Verified }
}

/** Like {@link AuthEnv}, where tokens are optional. */
export interface OptionalAuthEnv {
  Variables: { auth: Verified | undefined }
}

/**
 * Verifies the request's bearer token and stores the result in `c.get('auth')`. Answers refused requests itself, as
 * RFC 6750 says: 401 if the token is at fault, 503 if the verifier cannot check it now. A lazy verifier is refreshed
 * through `c.executionCtx`.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 */
export function authenticate(
  verifier: AnyVerifier,
  options?: AuthenticateOptions & { optional?: false },
): MiddlewareHandler<AuthEnv>
export function authenticate(verifier: AnyVerifier, options: AuthenticateOptions): MiddlewareHandler<OptionalAuthEnv>

/**
 * Passes a request on if its token has all of these scopes. Otherwise answers 403 `insufficient_scope`, or 401 if no
 * token was verified.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 */
export function requireScope(...scopes: [string, ...string[]]): MiddlewareHandler
