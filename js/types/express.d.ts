import type { AnyVerifier, TokenSource } from './guard.js'
import type { Verified } from './index.js'

export type { AnyVerifier } from './guard.js'

/**
 * Declares that tokens are optional in some route of this program. Make this declaration only once. Every handler must
 * then check that `request.auth` is present.
 *
 * @example
 * ```ts
 * import 'doorlist/express'
 *
 * declare module 'doorlist/express' {
 *   interface Register { optional: true }
 * }
 * ```
 */
export interface Register {}

/** The type of `request.auth`. */
export type Auth = Register extends { optional: true } ? Verified | undefined : Verified

/**
 * The options of {@link authenticate}: the place of the token, and whether a token is required.
 *
 * @example
 * ```ts
 * import express from 'express'
 * import { authenticate } from 'doorlist/express'
 *
 * express().use(authenticate(verifier, { cookie: 'access_token' })) // set the cookie with `SameSite=Strict`
 * ```
 */
export interface AuthenticateOptions extends TokenSource {
  /**
   * Whether a request without a token is passed on. A request with an invalid token is always refused. In TypeScript,
   * first declare this in {@link Register}. Default: false.
   */
  optional?: Register extends { optional: true } ? boolean : false
}

/** The properties that {@link authenticate} adds to a request. */
export interface Authenticated {
  /** The result of `verify`. */
  auth: Auth
}

declare global {
  namespace Express {
    // `extends` is used so that another library can also declare `auth` without a compile error.
    interface Request extends Authenticated {}
  }
}

/** The members of a request that this adapter uses. Express 4 and 5, Connect and `node:http` have them. */
export interface ServerRequest {
  headers: { authorization?: string | undefined; cookie?: string | undefined }
  auth?: Verified | undefined
}

/** The members of a response that this adapter uses. */
export interface ServerResponse {
  statusCode: number
  readonly headersSent?: boolean
  setHeader(name: string, value: string): unknown
  end(body: string): unknown
}

/**
 * Calls `next` with an error if a failure leads to neither 401 nor 503, for example a bug. In that case no token was
 * verified.
 */
export type Middleware = (request: ServerRequest, response: ServerResponse, next: (error?: unknown) => void) => void

/**
 * Verifies the request's bearer token and stores the result in `request.auth`. The middleware answers a refused request
 * as RFC 6750 requires: 401 if the token is at fault, and 503 if the verifier cannot check the token now.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 *
 * @example
 * ```ts
 * import express from 'express'
 * import { connectVerifier } from 'doorlist'
 * import { authenticate } from 'doorlist/express'
 *
 * const verifier = await connectVerifier({ issuer: 'https://id.example', audience: 'api' })
 *
 * const app = express()
 * app.use(authenticate(verifier))
 * app.get('/me', (request, response) => response.json({ sub: request.auth.payload.sub }))
 * ```
 */
export function authenticate(verifier: AnyVerifier, options?: AuthenticateOptions): Middleware

/**
 * Passes a request on if its token has all of these scopes. Otherwise answers 403 `insufficient_scope`. If the request
 * has no verified token, answers 401.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 *
 * @example
 * ```ts
 * import express from 'express'
 * import { authenticate, requireScope } from 'doorlist/express'
 *
 * const app = express()
 * app.use(authenticate(verifier))
 * app.delete('/users/:sub', requireScope('admin'), (request, response) => response.sendStatus(204))
 * ```
 */
export function requireScope(...scopes: [string, ...string[]]): Middleware
