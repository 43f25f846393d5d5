import type { FastifyPluginCallback, onRequestAsyncHookHandler } from 'fastify'
import type { AnyVerifier, TokenSource } from './guard.js'
import type { Verified } from './index.js'

export type { AnyVerifier } from './guard.js'

/**
 * Tells the compiler, once a program, that tokens are optional somewhere: every handler must then ask whether there is one.
 *
 * ```ts
 * declare module 'doorlist/fastify' {
 *   interface Register { optional: true }
 * }
 * ```
 */
export interface Register {}

/** `null` where a token is optional and none came. */
type None = Register extends { optional: true } ? null : never

/** The type of `request.auth`. */
export type Auth = Verified | None

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
  /** The claims of the token. Another plugin may declare its own type for it, as `@fastify/jwt` does. */
  user: Verified['payload'] | None
  /** The answer of `verify`. */
  auth: Auth
}

declare module 'fastify' {
  // By inheritance, so that a plugin that declares `user` too is no error in a program that has both.
  interface FastifyRequest extends Authenticated {}
}

/**
 * A plugin: verifies the bearer token of every request to the scope it is registered in, and has its claims in `request.user`.
 * Answers itself what is refused: 401 for the token's fault, 503 for ours, as RFC 6750 says it.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 */
export function authenticate(verifier: AnyVerifier, options?: AuthenticateOptions): FastifyPluginCallback

/**
 * An `onRequest` hook that lets pass who has all of these scopes; 403 `insufficient_scope` otherwise, and 401 without a verified
 * token.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 */
export function requireScope(...scopes: [string, ...string[]]): onRequestAsyncHookHandler
