import type { AnyVerifier, TokenSource } from './guard.js'
import type { Verified } from './index.js'

export type { AnyVerifier } from './guard.js'

/**
 * Tells the compiler, once a program, that tokens are optional somewhere: every handler must then ask whether there is one.
 *
 * ```ts
 * declare module 'doorlist/express' {
 *   interface Register { optional: true }
 * }
 * ```
 */
export interface Register {}

/** The type of `request.auth`. */
export type Auth = Register extends { optional: true } ? Verified | undefined : Verified

/** Where a token comes from, and whether one must. */
export interface AuthenticateOptions extends TokenSource {
  /**
   * A request without a token goes on without one; a token that is refused is refused. In TypeScript declare it in {@link Register}
   * first. Default: false.
   */
  optional?: Register extends { optional: true } ? boolean : false
}

/** What {@link authenticate} adds to a request. */
export interface Authenticated {
  /** The answer of `verify`. */
  auth: Auth
}

declare global {
  namespace Express {
    // By inheritance, so that a library that declares `auth` too is no error in a program that has both.
    interface Request extends Authenticated {}
  }
}

/** What is used of a request; Express 4 and 5, Connect and `node:http` have it. */
export interface ServerRequest {
  headers: { authorization?: string | undefined; cookie?: string | undefined }
  auth?: Verified | undefined
}

/** What is used of a response. */
export interface ServerResponse {
  statusCode: number
  readonly headersSent?: boolean
  setHeader(name: string, value: string): unknown
  end(body: string): unknown
}

/** `next` is called with an error for what is neither the token's fault nor ours: nothing was verified then. */
export type Middleware = (request: ServerRequest, response: ServerResponse, next: (error?: unknown) => void) => void

/**
 * Verifies the bearer token of a request, and has it in `request.auth`. Answers itself what is refused: 401 for the token's
 * fault, 503 for ours, as RFC 6750 says it.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 */
export function authenticate(verifier: AnyVerifier, options?: AuthenticateOptions): Middleware

/**
 * Lets pass who has all of these scopes; 403 `insufficient_scope` otherwise, and 401 without a verified token.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 */
export function requireScope(...scopes: [string, ...string[]]): Middleware
