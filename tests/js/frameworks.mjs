// The same small service in each framework. One route returns the subject of the token, one requires a scope, and one
// accepts requests without a token. Pages of any origin are allowed to read the answers.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'
import { PACKAGE, importDevelopmentPackage } from './support.mjs'

const adapter = name => import(pathToFileURL(`${PACKAGE}/${name}.js`))
const [overExpress, overFastify, overHono] = await Promise.all(['express', 'fastify', 'hono'].map(adapter))
const fromDefault = async name => (await importDevelopmentPackage(name)).default

/**
 * For each framework, a function that starts a service with this verifier and returns the address of the service. The
 * service is stopped when the story ends.
 */
export const frameworks = {
  'Express 4': async (story, verifier) => expressService(story, verifier, await fromDefault('express4')),
  'Express 5': async (story, verifier) => expressService(story, verifier, await fromDefault('express')),
  'Fastify 5': fastifyService,
  'Hono 4': honoService,
  'node:http': plainService,
}

function expressService(story, verifier, express) {
  const { authenticate, requireScope } = overExpress
  const app = express()
  app.use((_, response, next) => {
    response.set('access-control-allow-origin', '*')
    next()
  })
  const me = (request, response) => response.json({ sub: request.auth?.payload.sub ?? null })
  app.get('/me', authenticate(verifier, { cookie: 'token' }), me)
  app.get('/maybe', authenticate(verifier, { optional: true }), me)
  app.use('/admin', authenticate(verifier))
  app.delete('/admin/users', requireScope('admin', 'write'), (_, response) => response.json({ deleted: true }))
  app.get('/unguarded', requireScope('admin'), me)
  return listening(story, createServer(app))
}

function plainService(story, verifier) {
  const { authenticate, requireScope } = overExpress
  const me = request => ({ sub: request.auth?.payload.sub ?? null })
  const routes = {
    '/me': [me, authenticate(verifier, { cookie: 'token' })],
    '/maybe': [me, authenticate(verifier, { optional: true })],
    '/admin/users': [() => ({ deleted: true }), authenticate(verifier), requireScope('admin', 'write')],
    '/unguarded': [me, requireScope('admin')],
  }
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    const [answer, ...steps] = routes[request.url]
    const go = ([step, ...rest]) =>
      step ? step(request, response, () => go(rest)) : response.end(JSON.stringify(answer(request)))
    go(steps)
  })
  return listening(story, server)
}

async function fastifyService(story, verifier) {
  const { authenticate, requireScope } = overFastify
  const fastify = await fromDefault('fastify')
  const app = fastify()
  app.addHook('onRequest', async (_, reply) => void reply.header('access-control-allow-origin', '*'))
  const me = request => ({ sub: request.user?.sub ?? null })
  const scope = plugin => app.register(plugin)
  scope(async within => {
    await within.register(authenticate(verifier, { cookie: 'token' }))
    within.get('/me', me)
  })
  scope(async within => {
    await within.register(authenticate(verifier, { optional: true }))
    within.get('/maybe', me)
  })
  scope(async within => {
    await within.register(authenticate(verifier))
    within.delete('/admin/users', { onRequest: requireScope('admin', 'write') }, () => ({ deleted: true }))
  })
  app.get('/unguarded', { onRequest: requireScope('admin') }, me)
  story.after(() => app.close())
  return app.listen({ host: '127.0.0.1', port: 0 })
}

async function honoService(story, verifier) {
  const { authenticate, requireScope } = overHono
  const { Hono } = await importDevelopmentPackage('hono')
  const { createAdaptorServer } = await importDevelopmentPackage('@hono/node-server')
  const { cors } = await importDevelopmentPackage('hono/cors')
  const app = new Hono()
  app.use(cors())
  const me = c => c.json({ sub: c.get('auth')?.payload.sub ?? null })
  app.get('/me', authenticate(verifier, { cookie: 'token' }), me)
  app.get('/maybe', authenticate(verifier, { optional: true }), me)
  app.use('/admin/*', authenticate(verifier))
  app.delete('/admin/users', requireScope('admin', 'write'), c => c.json({ deleted: true }))
  app.get('/unguarded', requireScope('admin'), me)
  return listening(story, createAdaptorServer({ fetch: app.fetch }))
}

/** Listens on a free port, and closes the server when the story ends. */
export async function listening(story, server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  story.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${server.address().port}`
}
