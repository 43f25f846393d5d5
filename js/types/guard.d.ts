import type { LazyVerifier, Verifier } from './index.js'

/**
 * The verifiers that adapters accept: a verifier from `createVerifier`, a connected verifier, or a lazy verifier. The
 * adapter refreshes a lazy verifier in each request.
 */
export type AnyVerifier = Verifier | LazyVerifier

/**
 * The place of the token in a request.
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
   * The name of a cookie that contains the token. The cookie is used if the request has no `Authorization: Bearer`. A
   * browser also sends cookies with requests from other sites. Therefore set the cookie with `SameSite=Strict`, or with
   * `SameSite=Lax` if no GET request changes anything. Default: no cookie.
   */
  cookie?: string
}

/**
 * The options of an adapter: the place of the token, and whether a token is required.
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
   * Whether a request without a token is passed on. A request with an invalid token is always refused. Default: false.
   */
  optional?: boolean
}
