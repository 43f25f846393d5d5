import type { AnyVerifier, TokenSource } from './guard.js'
import type { Verified } from './index.js'

export type { AnyVerifier } from './guard.js'

/**
 * Declares, once per program, that tokens are optional in some route. Every handler must then check that
 * `request.auth` is present.
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
 * Where to find the token, and whether it is required.
 *
 * @example
 * ```ts
 * import express from 'express'
 * import { authenticate } from 'doorlist/express'
 *
 * express().use(authenticate(verifier, { cookie: 'access_token' })) // set it with `SameSite=Strict`
 * ```
 */
export interface AuthenticateOptions extends TokenSource {
  /**
   * Whether a request without a token is passed on. A token that is present and invalid is refused in any case. In
   * TypeScript, declare this in {@link Register} first. Default: false.
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
    // Uses `extends` so that a second library that also declares `auth` causes no compile error.
    interface Request extends Authenticated {}
  }
}

/** The part of a request that is used; Express 4 and 5, Connect and `node:http` provide it. */
export interface ServerRequest {
  headers: { authorization?: string | undefined; cookie?: string | undefined }
  auth?: Verified | undefined
}

/** The part of a response that is used. */
export interface ServerResponse {
  statusCode: number
  readonly headersSent?: boolean
  setHeader(name: string, value: string): unknown
  end(body: string): unknown
}

/**
 * Passes an error to `next` if the failure is neither a 401 nor a 503, for example a bug. In that case no token was
 * verified.
 */
export type Middleware = (request: ServerRequest, response: ServerResponse, next: (error?: unknown) => void) => void

/**
 * Verifies the request's bearer token and stores the result in `request.auth`. Answers refused requests itself, as
 * RFC 6750 says: 401 if the token is at fault, 503 if the verifier cannot check it now.
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
 * Passes a request on if its token has all of these scopes. Otherwise answers 403 `insufficient_scope`, or 401 if no
 * token was verified.
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
