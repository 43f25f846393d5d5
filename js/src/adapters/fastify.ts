import type { FastifyPluginCallback, FastifyReply } from 'fastify'
import type * as Types from '../../types/fastify.js'
import { guard, scopeGuard } from './guard.js'
import type { Refusal } from './refusal.js'

export const authenticate: typeof Types.authenticate = (verifier, options) => {
  const look = guard(verifier, options)
  const plugin: FastifyPluginCallback = (app, _, done) => {
    for (const name of ['auth', 'user']) if (!app.hasRequestDecorator(name)) app.decorateRequest(name, null)
    app.addHook('onRequest', async (request, reply) => {
      const outcome = await look(name => request.headers[name] as string | undefined)
      if (outcome.refusal) return answer(reply, outcome.refusal)
      request.auth = outcome.auth ?? null
      request.user = outcome.auth?.payload ?? null
    })
    done()
  }
  // What fastify-plugin does: the hook is of the scope that registers it, not of one below.
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'doorlist',
  })
}

export const requireScope: typeof Types.requireScope = (...scopes) => {
  const missing = scopeGuard(scopes)
  return async (request, reply) => {
    const refusal = missing(request.auth)
    if (refusal) return answer(reply, refusal)
  }
}

const answer = (reply: FastifyReply, { status, headers, body }: Refusal): FastifyReply =>
  reply.code(status).headers(headers).send(body)
