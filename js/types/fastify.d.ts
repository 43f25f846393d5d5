import type { FastifyPluginCallback, onRequestAsyncHookHandler } from 'fastify'
import type { AuthenticateOptions, AnyVerifier } from './guard.js'
import type { Verified } from './index.js'

export type { AnyVerifier, AuthenticateOptions } from './guard.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The claims of the token; `null` where it is optional and none came. */
    user: Verified['payload'] | null
    /** The whole answer about it. */
    auth: Verified | null
  }
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
