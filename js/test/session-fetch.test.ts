import assert from 'node:assert/strict'
import test from 'node:test'
import { guardedFetch } from '../src/session/guarded-fetch.js'
import { isSessionError } from '../src/session/index.js'
import { FakeHost } from './fakes.js'

const API = 'https://api.example'
const OTHER = 'https://other.example'

/** Returns a session with the tokens t1, t2, …. The answers of the servers depend on the origin. */
function world(answers: (request: Request) => Response) {
  let [generation, refreshes] = [1, 0]
  const seen: [url: string, authorization: string | null, body: string][] = []
  const fetch = (async (input: RequestInfo, init?: RequestInit) => {
    const request = new Request(input, init)
    seen.push([request.url, request.headers.get('authorization'), await request.clone().text()])
    return answers(request)
  }) as typeof globalThis.fetch
  const host = new FakeHost()
  const tokens = {
    getAccessToken: async () => `t${generation}`,
    instead: async (of: string) => {
      refreshes++
      return of === `t${generation}` ? `t${++generation}` : `t${generation}`
    },
  }
  const guarded = guardedFetch(
    () => tokens.getAccessToken(),
    of => tokens.instead(of),
    [API, OTHER, 'null'],
    fetch,
    host,
  )
  return { fetch: guarded, seen, host, tokens, refreshes: () => refreshes }
}

const ok = () => new Response('ok')
const unauthorized = () => new Response('no', { status: 401 })

test('the token is sent only to the configured origins', async () => {
  const { fetch, seen } = world(ok)
  await fetch(`${API}/a`)
  await fetch(new Request(`${API}:8443/b`))
  await fetch('https://api.example.evil.example/c')
  await fetch('http://api.example/d')
  await fetch(new URL('https://user.example/api.example'))
  await fetch(`blob:${API}/0c0ffee0`)
  await fetch('data:,x') // its origin is opaque, like the origin of a sandboxed page
  await fetch(`${API}@evil.example/e`).catch(() => {}) // browsers allow no user name in a request
  assert.deepEqual(
    seen.map(([, authorization]) => authorization),
    ['Bearer t1', null, null, null, null, null, null],
  )
})

test('an `Authorization` header of the caller is not replaced', async () => {
  const { fetch, seen } = world(ok)
  await fetch(`${API}/a`, { headers: { Authorization: 'Basic x' } })
  assert.equal(seen[0]?.[1], 'Basic x')
})

test('after a 401 the session refreshes once, and sends the same request again', async () => {
  const { fetch, seen } = world(request =>
    request.headers.get('authorization') === 'Bearer t1' ? unauthorized() : ok(),
  )
  const response = await fetch(`${API}/a`, { method: 'POST', body: 'all of it' })
  assert.equal(await response.text(), 'ok')
  assert.deepEqual(seen, [
    [`${API}/a`, 'Bearer t1', 'all of it'],
    [`${API}/a`, 'Bearer t2', 'all of it'],
  ])
})

test('several servers that refuse every token do not cause refreshes in a loop', async () => {
  const { fetch, seen, refreshes, host } = world(unauthorized)
  for (let time = 0; time < 5; time++)
    for (const origin of [API, OTHER]) assert.equal((await fetch(`${origin}/a`)).status, 401)
  assert.deepEqual([seen.length, refreshes()], [12, 2])
  host.elapse(60_000)
  await fetch(`${API}/a`)
  assert.equal(refreshes(), 3, 'once a minute')
})

test('a stream, a Request, a referrer policy and a signal of the caller are kept', async () => {
  const { fetch, seen } = world(request => {
    assert.deepEqual([request.referrerPolicy, request.signal.aborted], ['no-referrer', false])
    return seen.length === 1 ? unauthorized() : ok()
  })
  const body = new Blob(['a stream']).stream()
  const init = { method: 'PUT', body, duplex: 'half', referrerPolicy: 'no-referrer' } as RequestInit
  await fetch(new Request(`${API}/a`, init), { headers: { 'x-y': 'z' }, referrerPolicy: 'no-referrer' })
  assert.deepEqual(seen, [
    [`${API}/a`, 'Bearer t1', 'a stream'],
    [`${API}/a`, 'Bearer t2', 'a stream'],
  ])
})

test('a body that is a stream is sent only once: the caller gets the 401', async () => {
  const { fetch, seen } = world(unauthorized)
  const init = { method: 'PUT', body: new Blob(['a stream']).stream(), duplex: 'half' } as RequestInit
  assert.equal((await fetch(`${API}/a`, init)).status, 401)
  assert.deepEqual(seen, [[`${API}/a`, 'Bearer t1', 'a stream']])
})

test('C4: a signal without `throwIfAborted` and `reason` aborts a waiting request (field: sindresorhus/ky#588)', async () => {
  const { fetch, tokens, seen } = world(ok)
  const abort = new AbortController()
  const { signal } = abort
  Object.defineProperties(signal, { throwIfAborted: { value: undefined }, reason: { value: undefined } })
  assert.equal((await fetch(`${API}/a`, { signal })).status, 200)
  tokens.getAccessToken = () => new Promise<never>(() => {})
  const native = globalThis.Request
  // In React Native the `signal` of a Request is the object that the caller passed. This class also returns that
  // object.
  globalThis.Request = class extends native {
    override get signal() {
      return signal
    }
  }
  try {
    const waiting = fetch(`${API}/a`, { signal })
    abort.abort()
    await assert.rejects(waiting, { name: 'AbortError' })
    await assert.rejects(fetch(`${API}/a`, { signal }), { name: 'AbortError' })
  } finally {
    globalThis.Request = native
  }
  assert.equal(seen.length, 1)
})

test('an aborted request does not wait for a token', async () => {
  const { fetch, tokens, seen } = world(unauthorized)
  const abort = new AbortController()
  const never = () => new Promise<never>(() => {})
  const { getAccessToken } = tokens
  tokens.getAccessToken = never
  const first = fetch(`${API}/a`, { signal: abort.signal })
  abort.abort(new Error('enough'))
  await assert.rejects(first, /enough/)
  await assert.rejects(fetch(`${API}/a`, { signal: abort.signal }), /enough/)
  assert.equal(seen.length, 0)

  const again = new AbortController()
  Object.assign(tokens, { getAccessToken, instead: never })
  const second = fetch(`${API}/a`, { signal: again.signal })
  await new Promise(resolve => setImmediate(resolve))
  again.abort(new Error('enough'))
  await assert.rejects(second, /enough/)
})

for (const type of ['as Node shows it', 'as browsers hide it']) {
  test(`the token is not sent along a redirect, ${type}`, async () => {
    const { fetch, seen } = world(request => {
      assert.equal(request.redirect, 'manual')
      const moved = new Response(null, { status: 302, headers: { location: 'https://evil.example/' } })
      if (type === 'as Node shows it') return moved
      return Object.defineProperties(new Response(), { type: { value: 'opaqueredirect' }, status: { value: 0 } })
    })
    await assert.rejects(fetch(`${API}/a`), error => isSessionError(error, 'ERR_REDIRECT_REFUSED'))
    assert.equal(seen.length, 1)
  })
}

test('a `redirect` option of the caller is kept', async () => {
  const { fetch } = world(() => new Response(null, { status: 302, headers: { location: '/' } }))
  assert.equal((await fetch(`${API}/a`, { redirect: 'manual' })).status, 302)
})

test('304 does not count as a redirect', async () => {
  const { fetch } = world(() => new Response(null, { status: 304 }))
  assert.equal((await fetch(`${API}/a`)).status, 304)
})
