import type { LazyVerifier, Verifier } from './index.js'

/**
 * The verifiers that adapters accept: a verifier from `createVerifier`, a connected verifier, or a lazy verifier. The
 * adapters refresh a lazy verifier in each request.
 */
export type AnyVerifier = Verifier | LazyVerifier

/**
 * Where to find the token.
 *
 * @example
 * ```ts
 * import { Hono } from 'hono'
 * import { authenticate } from 'doorlist/hono'
 *
 * new Hono().use(authenticate(verifier, { cookie: 'access_token' }))
 * ```
 */
export interface TokenSource {
  /**
   * The name of a cookie that holds the token, used when the request has no `Authorization: Bearer`. A browser sends
   * a cookie automatically, also with requests from other sites, so set it with `SameSite=Strict` (or `Lax`, if no
   * GET changes anything). Default: none.
   */
  cookie?: string
}

/**
 * Where to find the token, and whether it is required.
 *
 * @example
 * ```ts
 * import { Hono } from 'hono'
 * import { authenticate } from 'doorlist/hono'
 *
 * const app = new Hono().use(authenticate(verifier, { optional: true }))
 * app.get('/', c => c.text(`hello ${c.get('auth')?.payload.sub ?? 'stranger'}`))
 * ```
 */
export interface AuthenticateOptions extends TokenSource {
  /**
   * Whether a request without a token is passed on. A token that is present and invalid is refused in any case.
   * Default: false.
   */
  optional?: boolean
}
