import type { FastifyPluginCallback, FastifyReply } from 'fastify'
import type * as Types from '../../types/fastify.js'
import type { Verified } from '../../types/index.js'
import { guard, note, noted, scopeGuard } from './guard.js'
import type { Refusal } from './refusal.js'

export const authenticate: typeof Types.authenticate = (verifier, options) => {
  const look = guard(verifier, options)
  const plugin: FastifyPluginCallback = (app, _, done) => {
    // `auth` and `user` are not declared as decorators. Otherwise a plugin that declares `auth` or `user` later would
    // throw. For example, @fastify/jwt declares `user`.
    app.addHook('onRequest', async (request, reply) => {
      const outcome = await look(name => request.headers[name] as string | undefined)
      if (outcome.refusal) return answer(reply, outcome.refusal)
      note(request, outcome.auth)
      const { auth = null } = outcome
      Object.assign(request, { auth, user: auth?.payload ?? null } satisfies Answered)
    })
    done()
  }
  // The package fastify-plugin sets the same symbols. With `skip-override`, the hook belongs to the scope that
  // registers this plugin. Without this symbol, the hook would belong to a child scope.
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'doorlist',
  })
}

/**
 * The values that the plugin sets on a request. Both values are `null` for a request without a token. This type is
 * necessary because the type of `request.auth` includes `null` only in a program that declares {@link Types.Register}.
 */
interface Answered {
  auth: Verified | null
  user: Verified['payload'] | null
}

export const requireScope: typeof Types.requireScope = (...scopes) => {
  const missing = scopeGuard(scopes)
  return async (request, reply) => {
    const refusal = missing(noted(request))
    if (refusal) return answer(reply, refusal)
  }
}

const answer = (reply: FastifyReply, { status, headers, body }: Refusal): FastifyReply =>
  reply.code(status).headers(headers).send(body)
