import type { MiddlewareHandler } from 'hono'
import type { AuthenticateOptions, AnyVerifier } from './guard.js'
import type { Verified } from './index.js'

export type { AnyVerifier, AuthenticateOptions } from './guard.js'

/**
 * Declares the type of `c.get('auth')`. Use it as the type argument of `Hono`: `new Hono<AuthEnv>()`.
 *
 * @example
 * ```ts
 * import { Hono } from 'hono'
 * import type { AuthEnv } from 'doorlist/hono'
 *
 * export const users = new Hono<AuthEnv>() // mounted below a route with `authenticate`
 * users.get('/me', c => c.json({ sub: c.get('auth').payload.sub }))
 * ```
 */
export interface AuthEnv {
  Variables: { auth: Verified }
}

/**
 * The same as {@link AuthEnv}, but for routes where tokens are optional.
 *
 * @example
 * ```ts
 * import { Hono } from 'hono'
 * import type { OptionalAuthEnv } from 'doorlist/hono'
 *
 * export const greeting = new Hono<OptionalAuthEnv>()
 * greeting.get('/', c => c.text(`hello ${c.get('auth')?.payload.sub ?? 'stranger'}`))
 * ```
 */
export interface OptionalAuthEnv {
  Variables: { auth: Verified | undefined }
}

/**
 * Verifies the request's bearer token and stores the result in `c.get('auth')`. The middleware answers a refused
 * request as RFC 6750 requires: 401 if the token is at fault, and 503 if the verifier cannot check the token now. A
 * lazy verifier is refreshed through `c.executionCtx`.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 *
 * @example
 * ```ts
 * import { Hono } from 'hono'
 * import { connectVerifier } from 'doorlist'
 * import { authenticate } from 'doorlist/hono'
 *
 * const verifier = await connectVerifier({ issuer: 'https://id.example', audience: 'api' }) // in a Worker: `.lazy`
 *
 * const app = new Hono().use(authenticate(verifier))
 * app.get('/me', c => c.json({ sub: c.get('auth').payload.sub }))
 * ```
 */
export function authenticate(
  verifier: AnyVerifier,
  options?: AuthenticateOptions & { optional?: false },
): MiddlewareHandler<AuthEnv>
export function authenticate(verifier: AnyVerifier, options: AuthenticateOptions): MiddlewareHandler<OptionalAuthEnv>

/**
 * Passes a request on if its token has all of these scopes. Otherwise answers 403 `insufficient_scope`. If the request
 * has no verified token, answers 401.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 *
 * @example
 * ```ts
 * import { Hono } from 'hono'
 * import { authenticate, requireScope } from 'doorlist/hono'
 *
 * const app = new Hono().use(authenticate(verifier))
 * app.delete('/users/:sub', requireScope('admin'), c => c.body(null, 204))
 * ```
 */
export function requireScope(...scopes: [string, ...string[]]): MiddlewareHandler
