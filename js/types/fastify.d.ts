import type { FastifyPluginCallback, onRequestAsyncHookHandler } from 'fastify'
import type { AnyVerifier, TokenSource } from './guard.js'
import type { Verified } from './index.js'

export type { AnyVerifier } from './guard.js'

/**
 * Declares that tokens are optional in some route of this program. Make this declaration only once. Every handler must
 * then check that `request.auth` is present.
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

/** The value is `null` if tokens are optional and the request had no token. */
type None = Register extends { optional: true } ? null : never

/** The type of `request.auth`. */
export type Auth = Verified | None

/**
 * The options of {@link authenticate}: the place of the token, and whether a token is required.
 *
 * @example
 * ```ts
 * import fastify from 'fastify'
 * import { authenticate } from 'doorlist/fastify'
 *
 * await fastify().register(authenticate(verifier, { cookie: 'access_token' })) // set the cookie with `SameSite=Strict`
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
  /** The claims of the token. Another plugin, for example `@fastify/jwt`, can declare another type for `user`. */
  user: Verified['payload'] | None
  /** The result of `verify`. */
  auth: Auth
}

declare module 'fastify' {
  // `extends` is used so that another plugin can also declare `user` without a compile error.
  interface FastifyRequest extends Authenticated {}
}

/**
 * Returns a plugin that verifies the bearer token of every request. The plugin applies to the scope where it is
 * registered, and stores the token's claims in `request.user`. The plugin answers a refused request as RFC 6750
 * requires: 401 if the token is at fault, and 503 if the verifier cannot check the token now.
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
 * Returns an `onRequest` hook that passes a request on if its token has all of these scopes. Otherwise the hook answers
 * 403 `insufficient_scope`. If the request has no verified token, the hook answers 401.
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
