// Test environments with a DOM (Vitest, Jest with jsdom) replace Node's classes with the classes of the DOM. Node's
// `fetch` refuses the classes of the DOM (seen in the field: vitest-dev/vitest#8374). This test replaces the classes by
// hand, and sends requests to a real server with the real `fetch`.
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { after, before } from 'node:test'
import { bind } from '../src/entrypoints/slim.js'
import { readFileSync } from 'node:fs'
import { createSession, isSessionError } from '../src/session/index.js'
import { createTestIssuer } from '../src/testing/index.js'

const { connectVerifier } = bind(readFileSync(new URL('../wasm/verifier.wasm', import.meta.url)))
const native = { URLSearchParams, Blob, FormData, Headers, AbortController, AbortSignal }

/**
 * A signal of another realm. The signal looks like an object of Node's class, but has neither the internal slots nor
 * the prototype of that class.
 */
class ForeignSignal {
  /** Node 20 accepts an object as a signal if `aborted` is a boolean. Newer versions check the class. */
  aborted = 0
  reason: unknown
  readonly #listeners = new Set<() => void>()
  addEventListener = (_: string, listener: () => void) => void this.#listeners.add(listener)
  removeEventListener = (_: string, listener: () => void) => void this.#listeners.delete(listener)
  end(reason: unknown) {
    this.aborted = 1
    this.reason = reason
    for (const listener of [...this.#listeners]) listener()
  }
}
class ForeignController {
  readonly signal = new ForeignSignal()
  abort = (reason?: unknown) => void (this.signal.aborted || this.signal.end(reason))
}
/** A body of another realm. Node refuses this body, or sends the text `[object …]`. */
class ForeignBody {}
/** jsdom has its own class `Headers`. Node treats an object of this class as empty. */
class ForeignHeaders {}

const asked: { path: string; type: string | undefined; body: string }[] = []
let origin = ''
const server = createServer(async (request, response) => {
  const path = request.url!
  const body = await textOf(request)
  asked.push({ path, type: request.headers['content-type'], body })
  if (path === '/login' || path === '/token') {
    const claims = { sid: '00000000000000a1', iat: Math.floor(Date.now() / 1000) }
    const token = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`
    response.setHeader('content-type', 'application/json')
    return response.end(JSON.stringify({ access_token: token, expires_in: 900, refresh_token: 'r 1&x' }))
  }
  const answer = await (await issuer).fetch(origin + path)
  response.writeHead(answer.status, Object.fromEntries(answer.headers))
  const reader = answer.body?.getReader()
  response.on('close', () => void reader?.cancel())
  for (let chunk = await reader?.read(); chunk?.value !== undefined; chunk = await reader!.read())
    response.write(chunk.value)
  response.end()
})
let issuer: ReturnType<typeof createTestIssuer>

before(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  issuer = createTestIssuer({ issuer: origin })
  await issuer
  const foreign = { URLSearchParams: ForeignBody, Blob: ForeignBody, FormData: ForeignBody, Headers: ForeignHeaders }
  Object.assign(globalThis, foreign, { AbortController: ForeignController, AbortSignal: ForeignSignal })
})
after(() => {
  Object.assign(globalThis, native)
  server.closeAllConnections()
  server.close()
})

test('C3: Node’s fetch refuses the foreign classes of this test', async () => {
  const { signal } = new AbortController()
  await assert.rejects(fetch(origin, { signal }), { name: 'TypeError', message: /signal/ })
  await assert.rejects(fetch(origin, { method: 'POST', body: new URLSearchParams({ a: 'b' }) }), TypeError)
})

test('C3: a session’s requests have text bodies with a content type, so they work across realms', async () => {
  const kept = new Map<string, string>()
  const session = createSession({ issuer: origin, clientId: 'a b', storage: kept })
  await session.ready
  asked.length = 0
  await session.login({ username: 'alice', password: 'wonder & land' })
  assert.equal(session.state, 'active')
  const { type, body } = asked.find(({ path }) => path === '/login')!
  assert.equal(type, 'application/json')
  assert.deepEqual(JSON.parse(body), { username: 'alice', password: 'wonder & land', client_id: 'a b' })

  const again = createSession({ issuer: origin, clientId: 'a b', storage: kept })
  assert.equal(await again.ready, 'active')
  const refresh = asked.find(({ path }) => path === '/token')!
  assert.match(refresh.type!, /^application\/x-www-form-urlencoded/)
  const fields = new native.URLSearchParams(refresh.body)
  assert.deepEqual(Object.fromEntries(fields), {
    grant_type: 'refresh_token',
    refresh_token: 'r 1&x',
    client_id: 'a b',
  })
  const response = await again.fetch(`${origin}/revocations`)
  assert.equal(response.status, 200)
  await response.body?.cancel()
  for (const each of [session, again]) each.close()
})

test('C3: a verifier connects, follows its issuer, and closes across realms', async () => {
  const verifier = await connectVerifier({ issuer: origin, audience: 'api' })
  const token = await (await issuer).token()
  assert.equal(verifier.verify(token).payload.sub, 'alice')
  const changed = new Promise(resolve => verifier.on('change', resolve))
  await (await issuer).revoke('alice')
  await changed
  assert.throws(() => verifier.verify(token), { code: 'ERR_JWT_REVOKED' })
  verifier.close()
})

test('C3: a bug in `fetch` does not count as an outage, and an outage keeps its cause', async () => {
  const bug = (async () => (undefined as never as { ok: Response }).ok) as typeof fetch
  const down = (async () => {
    throw new TypeError('fetch failed', { cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) })
  }) as typeof fetch
  for (const [fetch, session, verifier, cause] of [
    [bug, 'ERR_FETCH_FAILED', 'ERR_FETCH_FAILED', /Cannot read/],
    [down, 'ERR_SESSION_OFFLINE', 'ERR_LIST_MISSING', /fetch failed/],
  ] as const) {
    const page = createSession({ issuer: origin, fetch, storage: new Map([[`doorlist:${origin}`, 'r1']]) })
    for (const call of [() => page.login({ username: 'alice', password: 'x' }), () => page.getAccessToken()]) {
      await assert.rejects(call(), error => {
        assert.ok(isSessionError(error, session), String(error))
        assert.match(String(error.cause), cause)
        return true
      })
    }
    page.close()
    await assert.rejects(connectVerifier({ issuer: origin, audience: 'api', fetch, connectTimeout: 1 }), error => {
      assert.equal((error as { code: string }).code, verifier)
      let last: unknown = error
      for (let next: unknown = error; next !== undefined; next = (next as Error).cause) {
        if (cause.test(String(next))) return true
        last = next
      }
      throw last
    })
  }
})

test('C3: a storage that throws does not count as an outage', async () => {
  const broken = { get: () => JSON.parse('{'), set() {}, delete() {} }
  const page = createSession({ issuer: origin, storage: broken })
  await assert.rejects(page.getAccessToken(), error => {
    assert.ok(isSessionError(error, 'ERR_STORAGE_FAILED'), String(error))
    assert.equal((error.cause as Error).name, 'SyntaxError')
    return true
  })
  page.close()
})

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
