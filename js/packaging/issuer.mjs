// A small issuer on loopback. It serves metadata, keys, a list and a stream. It can also create a token, and kick a
// user. Each path is a separate issuer.
import { randomUUID } from 'node:crypto'
import { once, EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import { AUDIENCE, TestIssuer } from '../test/issuer.js'

/** The expected result of a program that verifies a token, kicks its user, and receives the kick on the stream. */
export const FOLLOWED = { before: 'not_revoked', after: 'ERR_JWT_REVOKED', mode: 'stream' }
/**
 * The expected result of a program that kicks a user. A verifier that starts without a network must then refuse the
 * token.
 */
export const RESTARTED = { before: 'not_revoked', after: 'ERR_JWT_REVOKED' }

export async function startIssuer() {
  const tenants = new Map()
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://x')
    const [, well, metadata, late] = pathname.split('/')
    const [name, verb] = well === '.well-known' ? [late, metadata] : [well, metadata]
    const tenant = tenants.get(name)
    response.setHeader('access-control-allow-origin', '*')
    if (tenant === undefined) response.writeHead(404).end()
    else void tenant.answer(verb, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${server.address().port}`
  return {
    /** Creates an issuer and returns its address. */
    async tenant() {
      const name = randomUUID()
      const tenant = new Tenant(await TestIssuer.create(`${origin}/${name}`))
      tenants.set(name, tenant)
      return tenant.issuer.url
    },
    /** Resolves when a client is connected to this issuer's stream. */
    subscribed: url => tenants.get(url.split('/').at(-1)).subscribed(),
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}

class Tenant {
  #streams = new Set()
  #events = new EventEmitter()
  #kicked = false

  constructor(issuer) {
    this.issuer = issuer
  }

  async answer(verb, response) {
    const { url, jwks } = this.issuer
    const send = (type, body) => response.writeHead(200, { 'content-type': type }).end(body)
    switch (verb) {
      case 'oauth-authorization-server': {
        const uris = {
          jwks_uri: `${url}/jwks`,
          revocation_list_uri: `${url}/list`,
          revocation_stream_uri: `${url}/stream`,
        }
        return send('application/json', JSON.stringify({ issuer: url, ...uris }))
      }
      case 'jwks':
        return send('application/json', JSON.stringify(jwks))
      case 'list':
        return send('application/jwt', await this.#list())
      case 'token':
        return send('application/jwt', await this.issuer.token(now(), { aud: AUDIENCE }))
      case 'kick':
        this.#kicked = true
        for (const stream of this.#streams) stream.write(`data: ${await this.#list()}\n\n`)
        return response.writeHead(204).end()
      case 'stream':
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
        // The stream is added before the first `await`. Otherwise a kick during the `await` would not be sent to this
        // stream.
        this.#streams.add(response)
        response.on('close', () => this.#streams.delete(response))
        response.write(`data: ${await this.#list()}\n\n`)
        return void this.#events.emit('subscribed')
      default:
        return void response.writeHead(404).end()
    }
  }

  async subscribed() {
    if (this.#streams.size === 0) await once(this.#events, 'subscribed')
  }

  #list() {
    return this.issuer.list(
      this.#kicked ? { iat: now(), seq: 2, revoked: ['00000000000a0001'] } : { iat: now(), seq: 1 },
    )
  }
}

const now = () => Math.floor(Date.now() / 1000)
