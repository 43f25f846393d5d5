// This file is only compiled. The compiler checks that the adapters' types match the types of the frameworks.
import express from 'express'
import fastify from 'fastify'
import fastifyJwt from '@fastify/jwt'
import { Hono } from 'hono'
import { createServer } from 'node:http'
import { expressjwt } from 'express-jwt'
import type * as Companions from '../types/companions.js'
import type * as OfExpress from '../types/express.js'
import type * as OfFastify from '../types/fastify.js'
import type * as OfHono from '../types/hono.js'
import type { ConnectedVerifier, LazyVerifier } from '../types/index.js'

declare const connected: ConnectedVerifier
declare const lazy: LazyVerifier

export function inExpress({ authenticate, requireScope }: typeof OfExpress) {
  const app = express()
  app.use(authenticate(connected, { cookie: 'token' }))
  app.get('/', requireScope('admin', 'write'), (request, response) => {
    response.send(request.auth.payload.sub satisfies string)
  })
  createServer((request, response) => authenticate(connected)(request, response, () => response.end()))
  // @ts-expect-error: at least one scope is required
  app.use(requireScope())
  // @ts-expect-error: there is no option `cookies`
  authenticate(connected, { cookies: 'token' })
  // @ts-expect-error: `optional` requires a declaration in `Register` (see packaging/project/frameworks.ts)
  authenticate(connected, { optional: true })
}

export async function inFastify({ authenticate, requireScope }: typeof OfFastify) {
  const app = fastify()
  await app.register(authenticate(connected, { cookie: 'token' }))
  app.delete('/', { onRequest: requireScope('admin') }, request => request.auth.payload.sub satisfies string)
  app.get('/', request => request.user.sub satisfies string)
  // @ts-expect-error: `optional` requires a declaration in `Register`
  authenticate(connected, { optional: true })
}

export function inHono({ authenticate, requireScope }: typeof OfHono) {
  const app = new Hono<OfHono.AuthEnv>()
  app.use(authenticate(lazy))
  app.delete('/', requireScope('admin'), c => c.text(c.get('auth').payload.sub))
  new Hono().get('/', authenticate(lazy, { cookie: 'token' }), c => c.text(c.get('auth').payload.sub))
  new Hono().get('/', authenticate(lazy, { optional: true }), c => {
    // @ts-expect-error: the token may be missing
    c.get('auth').payload
    return c.text(c.get('auth')?.payload.sub ?? 'nobody')
  })
}

export function beside({ isRevoked, trusted }: typeof Companions) {
  expressjwt({ secret: 'secret', algorithms: ['RS256'], isRevoked: isRevoked(connected) })
  fastify().register(fastifyJwt, { secret: 'secret', trusted: trusted(lazy) })
}
