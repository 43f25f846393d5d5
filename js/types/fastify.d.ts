import type { FastifyPluginCallback, onRequestAsyncHookHandler } from 'fastify'
import type { AnyVerifier, TokenSource } from './guard.js'
import type { Verified } from './index.js'

export type { AnyVerifier } from './guard.js'

/**
 * Declares, once per program, that tokens are optional in some route. Every handler must then check that
 * `request.auth` is present.
 *
 * @example
 * ```ts
 * import 'doorlist/fastify'
 *
 * declare module 'doorlist/fastify' {
 *   interface Register { optional: true }
 * }
 * ```
 */
export interface Register {}

/** `null` if tokens are optional and the request had none. */
type None = Register extends { optional: true } ? null : never

/** The type of `request.auth`. */
export type Auth = Verified | None

/**
 * Where to find the token, and whether it is required.
 *
 * @example
 * ```ts
 * import fastify from 'fastify'
 * import { authenticate } from 'doorlist/fastify'
 *
 * await fastify().register(authenticate(verifier, { cookie: 'access_token' })) // set it with `SameSite=Strict`
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
  /** The claims of the token. Another plugin may declare its own type for `user`, as `@fastify/jwt` does. */
  user: Verified['payload'] | None
  /** The result of `verify`. */
  auth: Auth
}

declare module 'fastify' {
  // Uses `extends` so that a second plugin that also declares `user` causes no compile error.
  interface FastifyRequest extends Authenticated {}
}

/**
 * A plugin that verifies the bearer token of every request in the scope where it is registered, and stores the token's
 * claims in `request.user`. Answers refused requests itself, as RFC 6750 says: 401 if the token is at fault, 503 if the
 * verifier cannot check it now.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 *
 * @example
 * ```ts
 * import fastify from 'fastify'
 * import { connectVerifier } from 'doorlist'
 * import { authenticate } from 'doorlist/fastify'
 *
 * const verifier = await connectVerifier({ issuer: 'https://id.example', audience: 'api' })
 *
 * const app = fastify()
 * await app.register(authenticate(verifier))
 * app.get('/me', request => ({ sub: request.user.sub }))
 * ```
 */
export function authenticate(verifier: AnyVerifier, options?: AuthenticateOptions): FastifyPluginCallback

/**
 * An `onRequest` hook that passes a request on if its token has all of these scopes. Otherwise answers 403
 * `insufficient_scope`, or 401 if no token was verified.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID`
 *
 * @example
 * ```ts
 * import fastify from 'fastify'
 * import { authenticate, requireScope } from 'doorlist/fastify'
 *
 * const app = fastify()
 * await app.register(authenticate(verifier))
 * app.delete('/users/:sub', { onRequest: requireScope('admin') }, (request, reply) => reply.code(204).send())
 * ```
 */
export function requireScope(...scopes: [string, ...string[]]): onRequestAsyncHookHandler
