// After some errors a start waits and tries again. After other errors the start fails at once. The tests use real
// servers and Node's own `fetch`.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net'
import test from 'node:test'
import { bind } from '../src/entrypoints/slim.js'
import { isTokenError } from '../src/errors.js'
import { createTestIssuer } from '../src/testing/index.js'
import { certificate, key } from './certificate.js'

const { connectVerifier } = bind(readFileSync(new URL('../wasm/verifier.wasm', import.meta.url)))
/** The time limit of a start, in seconds. An error that ends a start at once arrives long before this limit. */
const PATIENCE = 100

async function listening(server: Server | TcpServer): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function serving<T>(server: Server | TcpServer, use: (port: number) => Promise<T>): Promise<T> {
  const sockets = new Set<{ destroy(): void }>()
  server.on('connection', socket => sockets.add(socket))
  const port = await listening(server)
  try {
    return await use(port)
  } finally {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
}

/** Returns the error of a verifier that cannot connect, and the cause of this error. */
async function refused(issuer: string, options: { connectTimeout?: number; fetch?: typeof fetch } = {}) {
  const given = { issuer, audience: 'api', transport: 'poll' as const, connectTimeout: PATIENCE, ...options }
  const error: unknown = await connectVerifier(given).then(
    verifier => verifier.close(),
    error => error,
  )
  assert.ok(isTokenError(error), String(error))
  const cause = error.cause
  if (isTokenError(cause)) assert.equal(cause.code, 'ERR_ISSUER_UNREACHABLE')
  return { error, cause }
}

const answering = (listener: RequestListener) => createHttpServer(listener)
const status = (code: number, headers = {}) => answering((_, response) => response.writeHead(code, headers).end())
const text = (type: string, body: string) =>
  answering((_, response) => response.writeHead(200, { 'content-type': type }).end(body))
const silent = () => createTcpServer(() => {})

const atOnce: [what: string, server: () => Server | TcpServer, scheme: string, message: RegExp, reason: string][] = [
  ['https for http', () => status(200), 'https', /speaks http, not https; write http:\/\//, 'no_tls'],
  [
    'http for https',
    () => createHttpsServer({ key, cert: certificate }),
    'http',
    /write https:\/\/ in `issuer`/,
    'not_http',
  ],
  [
    'a certificate that is not trusted',
    () => createHttpsServer({ key, cert: certificate }),
    'https',
    /certificate is not trusted here; .*NODE_EXTRA_CA_CERTS/,
    'certificate',
  ],
  ['a wrong path', () => status(404), 'http', /answered with status 404: there is no issuer at this address/, 'status'],
  ['a 401', () => status(401), 'http', /answered with status 401: a verifier sends no credentials/, 'status'],
  ['a 403', () => status(403), 'http', /answered with status 403: a verifier sends no credentials/, 'status'],
  [
    'a redirect',
    () => status(308, { location: 'https://id.example/' }),
    'http',
    /a redirect to https:\/\/id.example\/: redirects are not followed; set `issuer`/,
    'redirect',
  ],
  [
    'an HTML page',
    () => text('text/html', '\n<!doctype html><title>Vite</title>'),
    'http',
    /is an HTML page, not application\/json/,
    'html',
  ],
]

for (const [what, server, scheme, message, reason] of atOnce) {
  test(`D7: ${what} fails at once, and the error names the fix`, { timeout: 20_000 }, () =>
    serving(server(), async port => {
      const { error, cause } = await refused(`${scheme}://127.0.0.1:${port}`)
      assert.equal(error.code, 'ERR_LIST_MISSING')
      assert.match(error.message, message)
      assert.match(error.message, /^no revocation list: http/)
      assert.equal(error.evidence['reason'], reason)
      assert.equal(error.evidence['lasting'], true)
      assert.ok(isTokenError(cause, 'ERR_ISSUER_UNREACHABLE'))
    }),
  )
}

test(
  'D7: a certificate for another name, and a port that fetch refuses, fail at once',
  { timeout: 20_000 },
  async () => {
    assert.equal((await refused('http://127.0.0.1:6000')).error.evidence['reason'], 'port')
    const mismatch = Object.assign(new Error('Host: other. is not in the cert'), {
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
    const fetch = () => Promise.reject(new TypeError('fetch failed', { cause: mismatch }))
    assert.equal((await refused('https://id.example', { fetch })).error.evidence['reason'], 'certificate')
  },
)

test(
  'D7: metadata of another issuer, an answer that is not JSON, and a bad key set fail at once',
  { timeout: 20_000 },
  async () => {
    const other = JSON.stringify({ issuer: 'https://other.example', jwks_uri: 'https://other.example/jwks' })
    await serving(text('application/json', other), async port => {
      const { error } = await refused(`http://127.0.0.1:${port}`)
      assert.equal(error.code, 'ERR_METADATA_INVALID')
      assert.match(error.message, /belongs to the issuer "https:\/\/other\.example", not "http:\/\/127/)
    })
    await serving(text('text/plain', 'hello'), async port => {
      const { error, cause } = await refused(`http://127.0.0.1:${port}`)
      assert.equal(error.code, 'ERR_METADATA_INVALID')
      assert.match(error.message, /is not JSON: is it the metadata of an issuer\?/)
      assert.ok(cause instanceof SyntaxError)
    })
    const keyless: RequestListener = ({ headers, url }, response) => {
      const origin = `http://${headers.host}`
      const metadata = { issuer: origin, jwks_uri: `${origin}/jwks`, revocation_list_uri: `${origin}/list` }
      response.end(url === '/jwks' ? '{"keys":7}' : JSON.stringify(metadata))
    }
    await serving(answering(keyless), async port =>
      assert.equal((await refused(`http://127.0.0.1:${port}`)).error.code, 'ERR_JWKS_INVALID'),
    )
  },
)

test('D7: the error for a silent server says that it did not answer', { timeout: 20_000 }, () =>
  serving(silent(), async port => {
    const { error, cause } = await refused(`http://127.0.0.1:${port}`, { connectTimeout: 1 })
    assert.equal(error.code, 'ERR_LIST_MISSING')
    assert.match(error.message, /^no revocation list in 1000 ms: http:\S+ did not answer in 1000 ms$/)
    assert.equal(error.evidence['reason'], 'timeout')
    assert.ok(isTokenError(cause))
    assert.doesNotMatch(JSON.stringify([error, cause]), /closed/)
  }),
)

for (const code of [408, 425, 429, 500, 503]) {
  test(`D7: a start waits after a ${code}, because it may pass`, { timeout: 20_000 }, async () => {
    const issuers = new Map<string, ReturnType<typeof createTestIssuer>>()
    let failures = 0
    const recovering: RequestListener = async ({ headers, url }, response) => {
      if (failures++ === 0) return response.writeHead(code).end()
      const origin = `http://${headers.host}`
      if (!issuers.has(origin)) issuers.set(origin, createTestIssuer({ issuer: origin }))
      const answer = await (await issuers.get(origin)!).fetch(origin + url)
      response.end(await answer.text())
    }
    await serving(answering(recovering), async port => {
      const issuer = `http://127.0.0.1:${port}`
      const verifier = await connectVerifier({ issuer, audience: 'api', transport: 'poll', connectTimeout: PATIENCE })
      assert.notEqual(verifier.status().asOf, null)
      verifier.close()
    })
  })
}

test(
  'D7: a start waits after a refused connection or a name that does not resolve, and its error names the cause',
  { timeout: 20_000 },
  async () => {
    const free = await serving(silent(), async port => port)
    const closed = await refused(`http://127.0.0.1:${free}`, { connectTimeout: 1 })
    assert.match(
      closed.error.message,
      /^no revocation list in 1000 ms: .*the connection was refused; is the issuer running/,
    )
    assert.deepEqual([closed.error.evidence['reason'], closed.error.evidence['lasting']], ['refused', undefined])
    const nameless = await refused('http://doorlist.invalid', { connectTimeout: 1 })
    assert.match(nameless.error.message, /its name does not resolve; check the spelling of `issuer`/)
    assert.deepEqual([nameless.error.evidence['reason'], nameless.error.evidence['lasting']], ['name', undefined])
  },
)

test(
  'D7: after the start, each failure is an event with a code, and the verifier continues',
  { timeout: 20_000 },
  async () => {
    let isMoved = false
    const issuers = new Map<string, ReturnType<typeof createTestIssuer>>()
    const moving: RequestListener = async ({ headers, url }, response) => {
      if (isMoved) return response.writeHead(404).end()
      const origin = `http://${headers.host}`
      if (!issuers.has(origin)) issuers.set(origin, createTestIssuer({ issuer: origin }))
      response.end(await (await (await issuers.get(origin)!).fetch(origin + url)).text())
    }
    await serving(answering(moving), async port => {
      const issuer = `http://127.0.0.1:${port}`
      const verifier = await connectVerifier({ issuer, audience: 'api', transport: 'poll' })
      isMoved = true
      await assert.rejects(verifier.refresh(), error => isTokenError(error, 'ERR_ISSUER_UNREACHABLE'))
      isMoved = false
      await verifier.refresh()
      verifier.close()
    })
  },
)
