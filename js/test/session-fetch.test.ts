import assert from 'node:assert/strict'
import test from 'node:test'
import { guardedFetch } from '../src/session/guarded-fetch.js'
import { isSessionError } from '../src/session/index.js'

const API = 'https://api.example'

/** A session whose tokens are t1, t2, …, and servers that answer by origin. */
function world(answers: (request: Request) => Response) {
  let [generation, refreshes] = [1, 0]
  const seen: [url: string, authorization: string | null, body: string][] = []
  const fetch = (async (request: Request) => {
    seen.push([request.url, request.headers.get('authorization'), await request.clone().text()])
    return answers(request)
  }) as typeof globalThis.fetch
  const tokens = {
    getAccessToken: async () => `t${generation}`,
    instead: async (of: string) => {
      refreshes++
      return of === `t${generation}` ? `t${++generation}` : `t${generation}`
    },
  }
  return { fetch: guardedFetch(tokens, [API], fetch), seen, refreshes: () => refreshes }
}

const ok = () => new Response('ok')
const unauthorized = () => new Response('no', { status: 401 })

test('the token goes to the configured origins, and to no other', async () => {
  const { fetch, seen } = world(ok)
  await fetch(`${API}/a`)
  await fetch(new Request(`${API}:8443/b`))
  await fetch('https://api.example.evil.example/c')
  await fetch('http://api.example/d')
  await fetch(new URL('https://user.example/api.example'))
  assert.deepEqual(
    seen.map(([, authorization]) => authorization),
    ['Bearer t1', null, null, null, null],
  )
})

test('a header of the caller’s own stays', async () => {
  const { fetch, seen } = world(ok)
  await fetch(`${API}/a`, { headers: { Authorization: 'Basic x' } })
  assert.equal(seen[0]?.[1], 'Basic x')
})

test('a 401 is answered with one refresh, and the same request again', async () => {
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

test('a server that refuses every token is not refreshed for in a loop', async () => {
  const { fetch, seen, refreshes } = world(unauthorized)
  for (let time = 0; time < 5; time++) assert.equal((await fetch(`${API}/a`)).status, 401)
  assert.deepEqual([seen.length, refreshes()], [6, 1])
})

for (const type of ['as Node shows it', 'as browsers hide it']) {
  test(`the token goes along no redirect, ${type}`, async () => {
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

test('who asks for redirects in another way gets them so', async () => {
  const { fetch } = world(() => new Response(null, { status: 302, headers: { location: '/' } }))
  assert.equal((await fetch(`${API}/a`, { redirect: 'manual' })).status, 302)
})

test('304 is no redirect', async () => {
  const { fetch } = world(() => new Response(null, { status: 304 }))
  assert.equal((await fetch(`${API}/a`)).status, 304)
})
