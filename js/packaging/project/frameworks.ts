// This file is only compiled. It is compiled with each module resolution, in a project where the frameworks are
// installed.
import fastify from 'fastify'
import { Hono } from 'hono'
import { createVerifier } from 'doorlist'
import * as inFastify from 'doorlist/fastify'
import * as inHono from 'doorlist/hono'

declare module 'doorlist/fastify' {
  interface Register {
    optional: true
  }
}

const verifier = createVerifier({ issuer: 'https://issuer.example', audience: 'api' })

export const service = fastify()
service.register(inFastify.authenticate(verifier, { optional: true }))
service.get(
  '/',
  { onRequest: inFastify.requireScope('admin') },
  request => request.user?.sub satisfies string | undefined,
)

export const app = new Hono<inHono.AuthEnv>()
app.use(inHono.authenticate(verifier))
app.get('/', inHono.requireScope('admin'), c => c.text(c.get('auth').payload.sub))
