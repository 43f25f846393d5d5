import type { Context, MiddlewareHandler } from 'hono'
import type * as Types from '../../types/hono.js'
import type { WaitUntil } from '../../types/index.js'
import { guard, note, noted, scopeGuard } from './guard.js'
import type { Refusal } from './refusal.js'

export const authenticate: typeof Types.authenticate = (verifier, options): MiddlewareHandler => {
  const look = guard(verifier, options)
  return async (c, next) => {
    const outcome = await look(name => c.req.header(name), contextOf(c))
    if (outcome.refusal) return answer(outcome.refusal)
    note(c, outcome.auth)
    c.set('auth', outcome.auth)
    await next()
  }
}

export const requireScope: typeof Types.requireScope = (...scopes) => {
  const missing = scopeGuard(scopes)
  return async (c, next) => {
    const refusal = missing(noted(c))
    if (refusal) return answer(refusal)
    await next()
  }
}

/**
 * Returns `undefined` if the platform has no execution context. On such a platform, either Hono throws when the code
 * reads `executionCtx`, or `executionCtx` has no `waitUntil`.
 */
function contextOf(c: Context): WaitUntil | undefined {
  try {
    const ctx: Partial<WaitUntil> = c.executionCtx
    return typeof ctx.waitUntil === 'function' ? (ctx as WaitUntil) : undefined
  } catch {
    return undefined
  }
}

const answer = ({ status, headers, body }: Refusal) => new Response(body, { status, headers: { ...headers } })
