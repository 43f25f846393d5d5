import assert from 'node:assert/strict'
import test from 'node:test'
import { Hono } from 'hono'
import { authenticate } from '../src/adapters/hono.js'
import { connectVerifier } from '../src/entrypoints/index.js'
import { createTestIssuer } from '../src/testing/index.js'

test('a context without `waitUntil` is ignored', async () => {
  const issuer = await createTestIssuer()
  const lazy = connectVerifier.lazy({ ...issuer.rules, fetch: issuer.fetch })
  const app = new Hono()
  app.use(authenticate(lazy))
  app.get('/', c => c.text('in'))
  const headers = { authorization: `Bearer ${await issuer.token()}` }
  // In a Next.js route, Hono 4.0 gets the arguments of the route instead of an execution context.
  const inNext = { params: {} } as never
  assert.equal((await app.fetch(new Request('https://a.test', { headers }), {}, inNext)).status, 200)
})
