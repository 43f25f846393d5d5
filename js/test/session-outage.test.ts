// The issuer cannot be reached, or another server answers instead.
import assert from 'node:assert/strict'
import test from 'node:test'
import { FakeBrowser, LIFETIME, has, settle } from './session-fakes.js'

for (const mood of ['down', 500, 503, 429, 404, 403, 200] as const) {
  test(`${mood}: no user is signed out, requests are few, and the session recovers (field: supabase/auth-js#141, #226, clerk/javascript#7912)`, async () => {
    const browser = new FakeBrowser()
    const tab = await browser.signedIn()
    const first = await tab.getAccessToken()
    browser.issuer.mood = mood
    browser.host.elapse(LIFETIME * 700)
    await settle()
    assert.equal(tab.state, 'offline')
    assert.equal(await tab.getAccessToken(), first, 'the token is returned until it expires')
    browser.host.elapse(LIFETIME * 300)
    await settle()
    const before = browser.issuer.count('/token')
    for (let time = 0; time < 20; time++) {
      await assert.rejects(tab.getAccessToken(), has('ERR_SESSION_OFFLINE'))
      browser.wake()
    }
    assert.ok(browser.issuer.count('/token') - before <= 1)
    browser.issuer.mood = 'up'
    browser.host.elapse(120_000)
    await settle()
    assert.equal(tab.state, 'active')
    assert.notEqual(await tab.getAccessToken(), first)
  })
}

test('Retry-After is respected, also when the network comes back', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  Object.assign(browser.issuer, { mood: 429, retryAfter: '60' })
  browser.host.elapse(LIFETIME * 700)
  await settle()
  browser.host.elapse(59_000)
  browser.wake()
  await settle()
  assert.equal(browser.issuer.count('/token'), 1)
  browser.issuer.mood = 'up'
  browser.host.elapse(1000)
  browser.wake()
  await settle()
  assert.equal(tab.state, 'active')
})

test('a page that starts offline stays signed in, and gets a token when the network is back', async () => {
  const browser = new FakeBrowser()
  await browser.signedIn().then(tab => tab.close())
  browser.issuer.mood = 'down'
  const tab = browser.tab()
  assert.equal(await tab.ready, 'offline')
  browser.issuer.mood = 'up'
  browser.host.elapse(1000)
  browser.wake()
  await settle()
  assert.equal(tab.state, 'active')
})

/** Answers that do not show whether the session continues. */
const STRANGE: Record<string, () => Response> = {
  'a captive portal': () =>
    new Response('<html>Welcome to the hotel</html>', { headers: { 'content-type': 'text/html' } }),
  'a captive portal that speaks JSON': () => Response.json({ login: 'https://hotel.example' }),
  'an invalid token': () => Response.json({ access_token: 'x', expires_in: 900 }),
  ...Object.fromEntries(
    [undefined, null, 0, -1, 'soon', {}].map(expires_in => [
      `expires_in ${JSON.stringify(expires_in)}`,
      () => Response.json({ access_token: 'e30.eyJzaWQiOiIxIn0.x', expires_in }),
    ]),
  ),
  'another error': () => Response.json({ error: 'invalid_request' }, { status: 400 }),
  'an unknown client': () => Response.json({ error: 'invalid_client' }, { status: 401 }),
  'invalid_grant with another status': () => Response.json({ error: 'invalid_grant' }, { status: 401 }),
  'a proxy without the issuer': () => new Response('invalid_grant', { status: 400 }),
  'no body': () => new Response(),
}

for (const [name, answer] of Object.entries(STRANGE)) {
  test(`${name}: the user stays signed in, and the session recovers`, async () => {
    const browser = new FakeBrowser()
    const tab = await browser.signedIn()
    browser.issuer.mood = answer
    browser.host.elapse(LIFETIME * 1000)
    await assert.rejects(tab.getAccessToken(), has('ERR_SESSION_OFFLINE'))
    assert.equal(tab.state, 'offline')
    browser.issuer.mood = 'up'
    browser.host.elapse(1000)
    await settle()
    assert.equal(tab.state, 'active')
  })
}

for (const answer of [
  STRANGE['a captive portal']!,
  () => new Response('<html>Not found</html>', { status: 404 }),
  () => new Response('<html>Forbidden by policy</html>', { status: 403 }),
]) {
  test(`a sign-out that a proxy answered with ${answer().status} is sent again to the issuer`, async () => {
    const browser = new FakeBrowser()
    const tab = await browser.signedIn()
    browser.issuer.mood = answer
    await tab.logout()
    browser.issuer.mood = 'up'
    browser.host.elapse(1000)
    await settle()
    assert.equal(browser.issuer.session.isOver, true)
    browser.host.elapse(120_000)
    await settle()
    assert.equal(browser.issuer.count('/revoke'), 2, 'no further request is sent')
  })
}

test('a sign-out that cannot be sent is not retried in a loop, even if the network seems to come back often', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  browser.issuer.mood = 'down'
  await tab.logout()
  for (let time = 0; time < 20; time++) {
    browser.wake()
    await settle()
  }
  assert.equal(browser.issuer.count('/revoke'), 1)
})

test('a sign-out of a closed page is completed by another open page', async () => {
  const browser = new FakeBrowser()
  const tabs = [await browser.signedIn(), browser.tab()] as const
  await tabs[1].ready
  browser.issuer.mood = 'down'
  await tabs[0].logout()
  tabs[0].close()
  browser.issuer.mood = 'up'
  browser.wake()
  await settle()
  assert.equal(browser.issuer.session.isOver, true)
})

test('a sign-out that the issuer limits waits for as long as `Retry-After` says', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  browser.issuer.mood = () =>
    Response.json({ error: 'too_many_requests' }, { status: 429, headers: { 'retry-after': '60' } })
  await tab.logout()
  browser.issuer.mood = 'up'
  browser.host.elapse(30_000)
  browser.host.elapse(29_000)
  browser.wake()
  await settle()
  assert.equal(browser.issuer.session.isOver, false)
  browser.host.elapse(1000)
  await settle()
  assert.equal(browser.issuer.session.isOver, true)
})

test('a sign-out that the issuer refuses is not repeated', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  browser.issuer.mood = () => Response.json({ error: 'invalid_request' }, { status: 400 })
  await tab.logout()
  browser.host.elapse(3_600_000)
  await settle()
  assert.equal(browser.issuer.count('/revoke'), 1)
})

test('a sign-out during the request of another sign-out is sent as well', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  const open = browser.issuer.hold('/revoke')
  await tab.login({ username: 'bob', password: 'wonderland' }) // alice's logout is still pending
  await settle()
  const logout = tab.logout()
  await settle()
  open()
  await logout
  assert.deepEqual(
    browser.issuer.sessions.map(({ isOver }) => isOver),
    [true, true],
  )
})

test('in an hour of outage, ten tabs that ask in a loop and wake every minute send few requests (field: supabase/auth-js#141, clerk/javascript#7912)', async () => {
  const browser = new FakeBrowser()
  const tabs = [await browser.signedIn(), ...Array.from({ length: 9 }, () => browser.tab())]
  await Promise.all(tabs.map(tab => tab.ready))
  await settle()
  browser.issuer.mood = 'down'
  browser.issuer.asked.length = 0
  browser.host.elapse(LIFETIME * 1000)
  for (let second = 0; second < 3600; second++) {
    for (const tab of tabs) tab.getAccessToken().catch(() => {})
    if (second % 60 === 0) browser.wake()
    browser.host.elapse(1000)
    await settle()
  }
  // After many failures, a tab pauses for at least a minute. Each wake-up allows one more request.
  const most = tabs.length * (60 + 60 + 10)
  assert.ok(browser.issuer.asked.length <= most, `${browser.issuer.asked.length}`)
  browser.issuer.mood = 'up'
  browser.wake()
  await settle()
  assert.ok(tabs.every(tab => tab.state === 'active'))
})

test('a refresh that fails before the token is due is tried again soon', async () => {
  const browser = new FakeBrowser()
  const { fetch: issuer } = browser.issuer
  const unauthorized = async () => new Response(null, { status: 401 })
  const fetch = ((input: string, init: RequestInit) =>
    input.endsWith('/me') ? unauthorized() : issuer(input, init)) as typeof globalThis.fetch
  const tab = await browser.signedIn({ fetch })
  browser.issuer.mood = 503
  await tab.fetch('https://app.example/me')
  assert.equal(tab.state, 'offline')
  browser.issuer.mood = 'up'
  browser.host.elapse(1000)
  await settle()
  assert.equal(tab.state, 'active')
})

for (const [retryAfter, seconds] of [
  ['60', 60],
  ['999999999', 3600],
  ['-5', 1],
  ['Fri, 31 Dec 9999 23:59:59 GMT', 1],
  ['Infinity', 3600],
  ['x', 1],
] as const) {
  test(`a session waits for the time of Retry-After: ${retryAfter}`, async () => {
    const browser = new FakeBrowser()
    const tab = await browser.signedIn()
    Object.assign(browser.issuer, { mood: 503, retryAfter })
    browser.host.elapse(LIFETIME * 1000)
    await assert.rejects(tab.getAccessToken())
    browser.issuer.mood = 'up'
    for (let left = seconds * 1000 - 1; left > 0; left -= 30_000) browser.host.elapse(Math.min(left, 30_000))
    browser.wake()
    await settle()
    assert.equal(tab.state, 'offline')
    browser.host.elapse(1)
    browser.wake()
    await settle()
    assert.equal(tab.state, 'active')
  })
}

test('a session continues if its storage cannot write', async () => {
  const browser = new FakeBrowser()
  const storage = browser.storage
  let isFull = false
  const set = (key: string, value: string) => {
    if (isFull) throw new DOMException('full', 'QuotaExceededError')
    return storage.set(key, value)
  }
  const tab = await browser.signedIn({ storage: { ...storage, set } })
  isFull = true
  for (let time = 0; time < 3; time++) {
    browser.host.elapse(LIFETIME * 1000)
    assert.match(await tab.getAccessToken(), /^e30\./)
  }
  await tab.logout()
  assert.equal(browser.issuer.session.isOver, true, 'the session ends, although the state cannot be stored')
})

test('a sign-out is sent to the issuer even if the storage can neither write nor delete', async () => {
  const browser = new FakeBrowser()
  const { storage } = browser
  let isBroken = false
  const unless = (work: () => unknown) => {
    if (isBroken) throw new Error('read-only')
    return work()
  }
  const tab = await browser.signedIn({
    storage: {
      get: key => storage.get(key),
      set: (key, value) => unless(() => storage.set(key, value)),
      delete: key => unless(() => storage.delete(key)),
    },
  })
  isBroken = true
  await assert.rejects(tab.logout(), /read-only/)
  assert.deepEqual([tab.state, browser.issuer.session.isOver], ['signed-out', true])
})

test('a storage that hangs from the start does not block `ready` for ever', async () => {
  const browser = new FakeBrowser()
  const tab = browser.tab({ storage: { ...browser.storage, get: () => new Promise<string>(() => {}) } })
  await browser.host.waits(25_000)
  browser.host.elapse(25_000)
  assert.equal(await tab.ready, 'offline')
})
