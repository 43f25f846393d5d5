import type { AuthenticateOptions, AnyVerifier } from './guard.js'
import type { Verified } from './index.js'

export type { AnyVerifier, AuthenticateOptions } from './guard.js'

declare global {
  namespace Express {
    interface Request {
      /** What {@link authenticate} verified; `undefined` where a token is optional and none came. */
      auth?: Verified | undefined
    }
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
