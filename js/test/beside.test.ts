// The adapters together with other plugins that write to the same properties of a request. The other plugin is
// registered before or after the adapter.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { expressjwt, type Params } from 'express-jwt'
import fastify, { type FastifyInstance, type FastifyPluginCallback } from 'fastify'
import fastifyJwt from '@fastify/jwt'
import { Hono, type MiddlewareHandler } from 'hono'
import { jwt as honoJwt, sign } from 'hono/jwt'
import * as overExpress from '../src/adapters/express.js'
import * as overFastify from '../src/adapters/fastify.js'
import * as overHono from '../src/adapters/hono.js'
import { createVerifier } from '../src/entrypoints/index.js'
import { createTestIssuer } from '../src/testing/index.js'
import type { AccessTokenClaims } from '../types/index.js'

// Both plugins declare `request.user`. With this declaration TypeScript accepts the two plugins together.
declare module '@fastify/jwt' {
  interface FastifyJWT {
    user: AccessTokenClaims
  }
}

const SECRET = 'a secret of the other library, for HS256'

/** Returns a verifier, the headers of alice with the scope `read`, and a token that the other library accepts. */
async function world() {
  const issuer = await createTestIssuer()
  const verifier = createVerifier(issuer.rules)
  verifier.load(await issuer.list())
  const headers = { authorization: `Bearer ${await issuer.token({ scope: 'read' })}` }
  // Mallory chose the claims of this token. Its claim `payload` has the same name as a member of our result. Our code
  // must not mistake this claim for our result.
  const theirs = await sign({ sub: 'mallory', payload: { scope: 'admin' } }, SECRET, 'HS256')
  return { verifier, headers, theirs }
}

const [ours, other] = ['doorlist', 'the other']
const orders: [string, string][] = [
  [ours, other],
  [other, ours],
]

for (const order of orders) {
  const inOrder = order.join(' before ')

  for (const [name, nested] of [
    ['in one scope', false],
    ['the second in a scope below', true],
  ] as const) {
    test(`C6: @fastify/jwt and doorlist/fastify, ${inOrder}, ${name}`, async story => {
      const { verifier, headers } = await world()
      const plugins: Record<string, Registered> = {
        [ours]: app => app.register(overFastify.authenticate(verifier)),
        [other]: app => app.register(fastifyJwt, { secret: SECRET }),
      }
      const app = fastify()
      await registered(
        app,
        order.map(name => plugins[name]!),
        nested,
      )
      story.after(() => app.close())
      const me = await app.inject({ url: '/me', headers })
      assert.deepEqual([me.statusCode, me.json()], [200, { sub: 'alice', scope: 'read' }])
      assert.equal((await app.inject({ url: '/read', headers })).statusCode, 200)
      assert.equal((await app.inject({ url: '/admin', headers })).statusCode, 403)
      assert.equal((await app.inject({ url: '/me' })).statusCode, 401)
    })
  }

  test(`C6: any Fastify plugin that decorates \`auth\` and \`user\`, ${inOrder}`, async story => {
    const { verifier, headers } = await world()
    const decorating: FastifyPluginCallback = (app, _, done) => {
      for (const name of ['auth', 'user']) app.decorateRequest(name, null)
      done()
    }
    Object.assign(decorating, { [Symbol.for('skip-override')]: true })
    const plugins: Record<string, Registered> = {
      [ours]: app => app.register(overFastify.authenticate(verifier)),
      [other]: app => app.register(decorating),
    }
    const app = fastify()
    await registered(
      app,
      order.map(name => plugins[name]!),
      false,
    )
    story.after(() => app.close())
    assert.equal((await app.inject({ url: '/me', headers })).statusCode, 200)
  })

  test(`C6: express-jwt and doorlist/express, ${inOrder}: scopes come from the token that doorlist verified`, async story => {
    const { verifier, headers, theirs } = await world()
    const fromHeader: Params = {
      secret: SECRET,
      algorithms: ['HS256'],
      getToken: request => request.get('x-theirs') ?? '',
    }
    const steps: Record<string, RequestHandler> = {
      [ours]: overExpress.authenticate(verifier),
      [other]: expressjwt(fromHeader),
    }
    const app = express()
    for (const name of order) app.use(steps[name]!)
    for (const scope of ['read', 'admin'])
      app.get(`/${scope}`, overExpress.requireScope(scope), (_, response) => void response.sendStatus(200))
    const failed: ErrorRequestHandler = (error, _, response, __) => void response.status(500).send(String(error))
    app.use(failed)
    const ask = await asking(story, createServer(app))
    const both = { ...headers, 'x-theirs': theirs }
    assert.equal(await ask('/read', both), 200)
    assert.equal(await ask('/admin', both), 403)
  })

  test(`C6: hono/jwt and doorlist/hono, ${inOrder}`, async () => {
    const { verifier, headers, theirs } = await world()
    const steps: Record<string, MiddlewareHandler> = {
      [ours]: overHono.authenticate(verifier),
      [other]: honoJwt({ secret: SECRET, alg: 'HS256', headerName: 'x-theirs' }),
    }
    const app = new Hono()
    for (const name of order) app.use(steps[name]!)
    app.get('/read', overHono.requireScope('read'), c =>
      c.json([c.get('auth' as never) as { payload: { sub: string } }].map(auth => auth.payload.sub)),
    )
    app.get('/admin', overHono.requireScope('admin'), c => c.body(null, 204))
    const both = { ...headers, 'x-theirs': `Bearer ${theirs}` }
    const read = await app.request('/read', { headers: both })
    assert.deepEqual([read.status, await read.json()], [200, ['alice']])
    assert.equal((await app.request('/admin', { headers: both })).status, 403)
  })
}

test('C6: a Hono middleware that sets `auth` grants no scope', async () => {
  const { verifier, headers } = await world()
  const app = new Hono()
  app.use(overHono.authenticate(verifier))
  app.use(async (c, next) => {
    c.set('auth' as never, { payload: { scope: 'admin' } } as never)
    await next()
  })
  app.get('/admin', overHono.requireScope('admin'), c => c.body(null, 204))
  assert.equal((await app.request('/admin', { headers })).status, 403)
})

test('C6: `request.auth` set by another Fastify plugin grants no scope', async story => {
  const { verifier, headers } = await world()
  const app = fastify()
  await app.register(overFastify.authenticate(verifier))
  app.addHook('onRequest', async request => void Object.assign(request, { auth: { payload: { scope: 'admin' } } }))
  routes(app)
  story.after(() => app.close())
  assert.equal((await app.inject({ url: '/admin', headers })).statusCode, 403)
})

type Registered = (app: FastifyInstance) => PromiseLike<unknown>

/** Registers one plugin after the other. The routes are in the scope of the second plugin. */
async function registered(app: FastifyInstance, [first, second]: Registered[], nested: boolean) {
  await first!(app)
  const rest = async (scope: FastifyInstance) => {
    await second!(scope)
    routes(scope)
  }
  if (nested) await app.register(rest)
  else await rest(app)
}

function routes(app: FastifyInstance) {
  app.get('/me', ({ auth, user }) => ({ sub: auth.payload.sub, scope: user.scope }))
  for (const scope of ['read', 'admin'])
    app.get(`/${scope}`, { onRequest: overFastify.requireScope(scope) }, () => ({ done: true }))
}

/** Listens until the test ends. Returns a function that requests a path and returns the status. */
async function asking(story: TestContext, server: ReturnType<typeof createServer>) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  story.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return async (path: string, headers: Record<string, string>) =>
    (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).status
}
