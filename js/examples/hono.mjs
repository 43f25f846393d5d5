import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { connectVerifier } from 'doorlist'
import { authenticate, requireScope } from 'doorlist/hono'

const { ISSUER = 'http://localhost:8787', PORT = '3000' } = process.env
const verifier = await connectVerifier({ issuer: ISSUER, audience: 'api' }).catch(({ message }) => {
  console.error(`No start without the issuer ${ISSUER}: ${message}`)
  process.exit(1)
})

const app = new Hono().use(authenticate(verifier))
app.get('/me', c => c.json({ sub: c.get('auth').payload.sub }))
app.delete('/users/:sub', requireScope('admin'), c => c.body(null, 204))

serve({ fetch: app.fetch, port: Number(PORT) }, ({ port }) => console.log(`http://localhost:${port}`))
