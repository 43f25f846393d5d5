import { Hono } from 'hono'
import { connectVerifier } from 'doorlist'
import { authenticate, requireScope } from 'doorlist/hono'
import { cacheStore } from 'doorlist/stores'
import { env } from 'cloudflare:workers'

const verifier = connectVerifier.lazy({ issuer: env.ISSUER, audience: 'api', store: cacheStore() }) // no I/O yet

const app = new Hono().use(authenticate(verifier)) // refreshes and saves the list with `c.executionCtx.waitUntil`
app.get('/me', c => c.json({ sub: c.get('auth').payload.sub }))
app.delete('/users/:sub', requireScope('admin'), c => c.body(null, 204))

export default app
