import assert from 'node:assert/strict'
import test from 'node:test'
import { createSession, isSessionError } from '../src/session/index.js'
import type { SessionState } from '../types/session.js'
import { ISSUER } from './fakes.js'
import { FakeBrowser, LIFETIME, has, settle, sidOf } from './session-fakes.js'

const LOCK = `doorlist:${ISSUER}`

test('after a login the session has a token, and a logout ends the session', async () => {
  const browser = new FakeBrowser()
  const tab = browser.tab()
  const states: SessionState[] = []
  tab.onChange(state => states.push(state))
  assert.equal(await tab.ready, 'signed-out')
  await assert.rejects(tab.getAccessToken(), has('ERR_SESSION_SIGNED_OUT'))
  await assert.rejects(tab.login({ username: 'alice', password: 'x' }), has('ERR_LOGIN_REFUSED'))

  await tab.login({ username: 'alice', password: 'wonderland' })
  assert.match(await tab.getAccessToken(), /^e30\./)
  assert.equal(tab.state, 'active')
  await tab.logout()
  assert.equal(await browser.storage.get(LOCK), undefined)
  assert.equal(browser.issuer.asked.at(-1), '/revoke token=r1')
  await settle()
  assert.deepEqual(states, ['active', 'signed-out'])
})

test('tokens from the application’s back end open a session too', async () => {
  const browser = new FakeBrowser()
  const tab = browser.tab()
  await tab.login(browser.issuer.tokens())
  assert.equal(tab.state, 'active')
  assert.equal(await browser.storage.get(LOCK), 'r1')
})

test('concurrent calls of getAccessToken in a tab share one refresh', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  browser.host.elapse(0)
  const open = browser.issuer.hold()
  browser.host.elapse(LIFETIME * 1000)
  const tokens = Promise.all(Array.from({ length: 10 }, () => tab.getAccessToken()))
  open()
  assert.equal(new Set(await tokens).size, 1)
  assert.equal(browser.issuer.count('/token'), 1)
})

for (const hasLocks of [true, false]) {
  test(`ten tabs wake at once, ${hasLocks ? 'with' : 'without'} locks: the session continues in all (field: supabase/auth-js#213, directus/directus#22360)`, async () => {
    const browser = new FakeBrowser()
    browser.hasLocks = hasLocks
    const first = await browser.signedIn()
    const tabs = [first, ...Array.from({ length: 9 }, () => browser.tab())]
    await Promise.all(tabs.map(tab => tab.ready))
    await settle()
    const before = browser.issuer.count('/token')
    browser.host.elapse(LIFETIME * 2000)
    browser.wake()
    const tokens = await Promise.all(tabs.map(tab => tab.getAccessToken()))
    await settle()
    assert.ok(tabs.every(tab => tab.state === 'active'))
    assert.deepEqual(new Set(tokens.map(sidOf)), new Set([browser.issuer.session.sid]))
    const asked = browser.issuer.count('/token') - before
    if (hasLocks) {
      assert.equal(asked, 1, 'the winner’s token is adopted')
      assert.equal(new Set(tokens).size, 1)
    } else {
      assert.ok(asked <= tabs.length, `${asked} times: no tab asks twice`)
    }
    assert.equal(await browser.storage.get(LOCK), `r${browser.issuer.session.generation}`)
  })
}

test('a tab that refreshes with an old token takes the new one, and stays signed in (field: medplum/medplum#9113)', async () => {
  const browser = new FakeBrowser()
  browser.hasLocks = false
  const tab = await browser.signedIn()
  browser.issuer.session.isOver = true // another tab has signed in again
  const open = browser.issuer.hold()
  browser.host.elapse(LIFETIME * 1000)
  const token = tab.getAccessToken()
  await settle()
  browser.storage.set(LOCK, browser.issuer.open().refresh_token)
  open()
  assert.match(await token, /^e30\./)
  assert.equal(tab.state, 'active')
})

test('a lost response does not end the session: the same token is sent again (field: ory/hydra#1831, FusionAuth/fusionauth-issues#2952, better-auth/better-auth#8512)', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  const { fetch } = browser.issuer
  let lost = 0
  const lossy = browser.tab({
    fetch: (async (url: string, init: RequestInit) => {
      const response = await fetch(url, init)
      if (url.endsWith('/token') && lost++ === 0) throw new TypeError('connection reset')
      return response
    }) as typeof globalThis.fetch,
  })
  tab.close()
  assert.equal(await lossy.ready, 'offline')
  browser.host.elapse(1000)
  await settle()
  assert.equal(lossy.state, 'active')
  assert.deepEqual(
    browser.issuer.asked.filter(asked => asked.startsWith('/token')),
    ['/token grant_type=refresh_token&refresh_token=r1', '/token grant_type=refresh_token&refresh_token=r1'],
  )
})

test('a refresh waits for a lock that is never released, and then continues without it (field: supabase/supabase-js#1594, #2013, #2426)', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  const release = browser.locks.take(LOCK)
  browser.host.elapse(LIFETIME * 1000)
  const token = tab.getAccessToken()
  await browser.host.waits(5000)
  assert.equal(browser.issuer.count('/token'), 0)
  browser.host.elapse(5000)
  assert.match(await token, /^e30\./)
  release()
})

test('a listener may await the session (field: supabase/supabase-js#2013)', async () => {
  const browser = new FakeBrowser()
  const tab = browser.tab()
  const seen = new Promise<string>(resolve => tab.onChange(async () => resolve(await tab.getAccessToken())))
  await tab.login({ username: 'alice', password: 'wonderland' })
  assert.equal(await seen, await tab.getAccessToken())
})

test('a listener may sign out or in, and is not called after it is removed (field: supabase/supabase-js#2013)', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  const seen: SessionState[] = []
  tab.onChange(async state => {
    stop()
    seen.push(state)
    if (state === 'offline') await tab.logout()
    if (state === 'signed-out') await tab.login({ username: 'alice', password: 'wonderland' })
  })
  const stop = tab.onChange(() => assert.fail('taken off'))
  browser.issuer.mood = () => {
    browser.issuer.mood = 'up'
    return new Response('{}', { status: 503 })
  }
  browser.host.elapse(LIFETIME * 700)
  await settle()
  assert.deepEqual(seen, ['offline', 'signed-out', 'active'])
  const late = browser.tab()
  late.onChange(() => late.close())
  late.onChange(() => assert.fail('closed'))
  await late.ready
})

/** Returns a page whose token has expired and whose storage does not answer. */
async function overHangingStorage() {
  const browser = new FakeBrowser()
  const { storage } = browser
  const get = (key: string) => (hanging.isOver ? storage.get(key) : new Promise<string>(() => {}))
  const hanging = { isOver: true }
  const tab = await browser.signedIn({ storage: { ...storage, get } })
  hanging.isOver = false
  browser.host.elapse(LIFETIME * 1000)
  return { browser, tab, hanging }
}

test('a storage that hangs does not block a call for ever', async () => {
  const { browser, tab, hanging } = await overHangingStorage()
  const token = assert.rejects(tab.getAccessToken(), has('ERR_STORAGE_FAILED'))
  await browser.host.waits(25_000)
  browser.host.elapse(25_000)
  await token
  hanging.isOver = true
  browser.host.elapse(1000)
  await settle()
  assert.equal(tab.state, 'active')
})

test('a storage that hangs during a sign-out does not undo it', async () => {
  const { browser, tab } = await overHangingStorage()
  const token = assert.rejects(tab.getAccessToken(), has('ERR_SESSION_SIGNED_OUT'))
  await browser.host.waits(25_000)
  void tab.logout()
  browser.host.elapse(25_000)
  await token
  assert.equal(tab.state, 'signed-out')
})

test('a result that arrives after sign-out is discarded, in this tab and in others', async () => {
  const browser = new FakeBrowser()
  const [tab, other] = [await browser.signedIn(), browser.tab()]
  await other.ready
  await settle()
  browser.host.elapse(LIFETIME * 1000)
  const open = browser.issuer.hold()
  const late = assert.rejects(other.getAccessToken(), has('ERR_SESSION_SIGNED_OUT'))
  await settle()
  const out = tab.logout()
  await settle()
  assert.deepEqual([tab.state, other.state], ['signed-out', 'signed-out'])
  open()
  await Promise.all([late, out])
  await settle()
  assert.deepEqual([tab.state, other.state], ['signed-out', 'signed-out'])
  assert.equal(await browser.storage.get(LOCK), undefined)
})

test('a login in one tab is not undone by a request of another tab', async () => {
  const browser = new FakeBrowser()
  browser.hasLocks = false
  const tab = await browser.signedIn()
  const open = browser.issuer.hold('/token')
  const other = browser.tab()
  await settle()
  await tab.login({ username: 'alice', password: 'wonderland' })
  await settle()
  open()
  await other.ready
  assert.equal(await other.getAccessToken(), await tab.getAccessToken())
})

test('signing out works offline, in all tabs, and is completed later, by another page too', async () => {
  const browser = new FakeBrowser()
  const [tab, other] = [await browser.signedIn(), browser.tab()]
  await other.ready
  browser.issuer.mood = 'down'
  await tab.logout()
  await settle()
  assert.deepEqual([tab.state, other.state], ['signed-out', 'signed-out'])
  tab.close()
  other.close()
  browser.issuer.mood = 'up'
  browser.issuer.asked.length = 0
  const later = browser.tab()
  assert.equal(await later.ready, 'signed-out')
  await settle()
  assert.deepEqual(browser.issuer.asked, ['/revoke token=r2'])
  await later.login({ username: 'alice', password: 'wonderland' })
  browser.wake()
  await settle()
  assert.equal(browser.issuer.count('/revoke'), 1, 'once')
})

test('cookie: only the note of a sign-out is stored, and it does not undo a later login', async () => {
  const browser = new FakeBrowser()
  browser.issuer.usesCookie = true
  const tab = await browser.signedIn({ storage: 'cookie' })
  assert.match(browser.issuer.asked.at(-1)!, /"token_delivery":"cookie"/)
  assert.ok(browser.issuer.requests.every(({ credentials }) => credentials === 'include'))
  assert.equal(await browser.notes.get(`${LOCK}:signed-out`), undefined)

  browser.issuer.mood = 'down'
  await tab.logout()
  assert.equal(await browser.notes.get(`${LOCK}:signed-out`), ':')
  const other = browser.tab({ storage: 'cookie' })
  assert.equal(await other.ready, 'signed-out')
  browser.issuer.mood = 'up'
  await other.login({ username: 'alice', password: 'wonderland' })
  browser.host.elapse(120_000)
  browser.wake()
  await settle()
  assert.equal(browser.issuer.session.isOver, false)
  assert.deepEqual([tab.state, other.state], ['active', 'active'], 'both tabs have the session of the one cookie')
})

test('with `memory`, each tab has its own session', async () => {
  const browser = new FakeBrowser()
  const [tab, other] = [await browser.signedIn({ storage: 'memory' }), browser.tab({ storage: 'memory' })]
  await settle()
  assert.deepEqual([tab.state, other.state], ['active', 'signed-out'])
})

test('a kick without a verifier is learned from /token', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  browser.issuer.session.isOver = true
  browser.host.elapse(LIFETIME * 700)
  await settle()
  assert.equal(tab.state, 'kicked')
  await tab.login({ username: 'alice', password: 'wonderland' })
  assert.equal(tab.state, 'active')
})

test('after `close` nothing runs, and the user is not signed out', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  tab.close()
  await browser.host.idle()
  await assert.rejects(tab.getAccessToken(), has('ERR_SESSION_CLOSED'))
  await assert.rejects(tab.login({ username: 'alice', password: 'wonderland' }), has('ERR_SESSION_CLOSED'))
  await assert.rejects(tab.logout(), has('ERR_SESSION_CLOSED'))
  assert.equal(await browser.storage.get(LOCK), 'r1')
  assert.equal(browser.issuer.asked.length, 1)
})

test('`close` ends a refresh, and the next page sends an unfinished sign-out', async () => {
  const browser = new FakeBrowser()
  const tabs = [await browser.signedIn(), browser.tab()] as const
  await tabs[1].ready
  const open = browser.issuer.hold('/token')
  browser.host.elapse(LIFETIME * 1000)
  await settle()
  tabs[1].close()
  open()
  await settle()
  browser.issuer.mood = 'down'
  const logout = tabs[0].logout()
  tabs[0].close()
  await logout
  await browser.host.idle()
  browser.issuer.asked.length = 0
  browser.wake()
  await settle()
  assert.deepEqual(browser.issuer.asked, [])
})

test('a tab that is closed while it waits for the lock sends no request', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  const release = browser.locks.take(LOCK)
  browser.host.elapse(LIFETIME * 1000)
  await browser.host.waits(5000)
  tab.close()
  release()
  await settle()
  assert.equal(browser.issuer.count('/token'), 0)
})

test('a request that is refused after `close` causes no refresh', async () => {
  const browser = new FakeBrowser()
  const { fetch: issuer } = browser.issuer
  let refuse = (_response: Response) => {}
  const fetch = ((input: string, init: RequestInit) =>
    input.endsWith('/me')
      ? new Promise<Response>(resolve => (refuse = resolve))
      : issuer(input, init)) as typeof globalThis.fetch
  const tab = await browser.signedIn({ fetch })
  const answer = tab.fetch(`${ISSUER}/me`)
  await settle()
  tab.close()
  refuse(new Response(null, { status: 401 }))
  assert.equal((await answer).status, 401)
  assert.equal(browser.issuer.count('/token'), 0)
})

test('the error names an option that is unknown or has an invalid value', () => {
  const wrong: [object, string][] = [
    [{}, 'issuer'],
    [{ issuer: 'issuer.example' }, 'issuer'],
    [{ issuer: new URL(ISSUER) }, 'issuer'],
    [{ issuer: `${ISSUER}?x` }, 'issuer'],
    [{ issuer: 'https://[' }, 'issuer'],
    [{ issuer: undefined }, 'issuer'],
    [{ issuer: ISSUER, clientId: '' }, 'clientId'],
    [{ issuer: ISSUER, clientID: 'x' }, 'clientID'],
    [{ issuer: ISSUER, storage: 'local' }, 'storage'],
    [{ issuer: ISSUER, storage: { get() {}, set() {} } }, 'storage'],
    [{ issuer: ISSUER, storage: null }, 'storage'],
    [{ issuer: ISSUER, origins: ['https://api.example/path'] }, 'origins'],
    [{ issuer: ISSUER, origins: ['api.example'] }, 'origins'],
    [{ issuer: ISSUER, origins: 'https://api.example' }, 'origins'],
    [{ issuer: ISSUER, verifier: Promise.resolve() }, 'verifier'],
  ]
  for (const [options, option] of wrong)
    assert.throws(
      () => createSession(options as never),
      error => isSessionError(error, 'ERR_OPTIONS_INVALID') && error.evidence['option'] === option,
    )
})
