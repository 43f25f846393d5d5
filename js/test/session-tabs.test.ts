// Two tabs that affect each other. Each test covers a bug that was reported, or a bug that is likely.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { SessionState } from '../types/session.js'
import { ISSUER } from './fakes.js'
import { FakeBrowser, LIFETIME, has, settle, sidOf } from './session-fakes.js'

const KEY = `doorlist:${ISSUER}`
const ALICE = { username: 'alice', password: 'wonderland' }
const BOB = { username: 'bob', password: 'wonderland' }

for (const storage of ['cookie', undefined] as const) {
  const world = () => {
    const browser = new FakeBrowser()
    browser.issuer.usesCookie = storage === 'cookie'
    return { browser, issuer: browser.issuer, tab: () => browser.tab(storage && { storage }) }
  }
  const where = storage ?? 'storage'

  test(`two users sign in in two tabs at once: both tabs have the same user, and the other session is ended: ${where}`, async () => {
    const { browser, issuer, tab } = world()
    const tabs = [tab(), tab()] as const
    await Promise.all(tabs.map(tab => tab.ready))
    const first = issuer.hold('/login')
    const logins = [tabs[0].login(ALICE), tabs[1].login(BOB)]
    await settle()
    first()
    const second = issuer.hold('/login') // so that the first login is announced during the second
    await logins[0]
    await settle()
    second()
    await logins[1]
    await settle()
    browser.host.elapse(LIFETIME * 1000)
    const tokens = await Promise.all(tabs.map(tab => tab.getAccessToken()))
    assert.deepEqual(tokens.map(sidOf), [issuer.session.sid, issuer.session.sid])
    assert.deepEqual(
      issuer.sessions.map(({ isOver }) => isOver),
      [true, false],
    )
  })

  test(`a kicked user signs in while another tab still reports the kick: ${where}`, async () => {
    const { browser, issuer, tab } = world()
    const here = tab()
    await here.login(ALICE)
    const open = issuer.hold('/login')
    const login = here.login(ALICE)
    await settle()
    browser.platform().channel(KEY)!.postMessage({ type: 'ended', sid: issuer.sessions[0]!.sid, kicked: true })
    await settle()
    assert.equal(here.state, 'kicked')
    open()
    await login
    await settle()
    assert.equal(here.state, 'active')
    assert.equal(issuer.session.isOver, false)
  })

  for (const meanwhile of ['no user', 'bob'])
    test(`a kick in one tab reaches the other, even late; meanwhile signed in: ${meanwhile}: ${where}`, async () => {
      const { browser, issuer, tab } = world()
      const tabs = [tab(), tab()] as const
      await tabs[0].login(ALICE)
      await settle()
      issuer.session.isOver = true
      browser.host.elapse(LIFETIME * 1000)
      const deliver = browser.delayMessages()
      browser.wake()
      await settle()
      assert.ok(tabs.every(({ state }) => state !== 'active'))
      if (meanwhile === 'bob') await tabs[1].login(BOB)
      deliver()
      await settle()
      const wanted = meanwhile === 'bob' ? 'active' : 'kicked'
      assert.deepEqual([tabs[0].state, tabs[1].state], [wanted, wanted])
    })

  test(`a page that missed a sign-out does not turn it into a kick in other tabs: ${where}`, async () => {
    const { browser, tab } = world()
    const tabs = [tab(), tab()] as const
    await tabs[0].login(ALICE)
    await settle()
    const deliver = browser.delayMessages()
    await tabs[0].logout()
    browser.host.elapse(LIFETIME * 1000)
    browser.wake(true)
    await settle()
    deliver()
    await settle()
    assert.equal(tabs[0].state, 'signed-out')
  })

  test(`a sign-out in one tab does not undo a login in another: ${where}`, async () => {
    const { browser, issuer, tab } = world()
    const tabs = [tab(), tab()] as const
    await tabs[0].login(ALICE)
    await settle()
    const open = issuer.hold('/login')
    const login = tabs[1].login(BOB)
    await settle()
    const logout = tabs[0].logout()
    await settle()
    open()
    await Promise.all([login, logout])
    await settle()
    browser.host.elapse(LIFETIME * 1000)
    const token = await tabs[1].getAccessToken()
    assert.deepEqual(
      issuer.sessions.map(({ isOver }) => isOver),
      [true, false],
    )
    assert.equal(sidOf(token), issuer.session.sid)
  })

  test(`a sign-out before the first answer signs out all tabs, and a late answer does not undo it: ${where}`, async () => {
    const { browser, issuer, tab } = world()
    const first = tab()
    await first.login(ALICE)
    const second = tab()
    const states: SessionState[] = []
    second.onChange(state => states.push(state))
    browser.host.elapse(1)
    await second.logout()
    await settle()
    assert.deepEqual([first.state, second.state], ['signed-out', 'signed-out'])
    assert.deepEqual(states, [])
    assert.equal(issuer.session.isOver, true)
    browser.wake()
    await settle()
    await assert.rejects(first.getAccessToken(), has('ERR_SESSION_SIGNED_OUT'))
  })

  test(`a login that is answered after a sign-out has no effect: ${where}`, async () => {
    const { browser, issuer, tab } = world()
    const here = tab()
    await here.ready
    const open = issuer.hold('/login')
    const login = assert.rejects(here.login(ALICE), has('ERR_SESSION_SIGNED_OUT'))
    await settle()
    const logout = here.logout()
    open()
    await Promise.all([login, logout])
    await settle()
    assert.deepEqual([here.state, issuer.session.isOver, issuer.cookie], ['signed-out', true, undefined])
    assert.deepEqual([browser.storage.get(KEY), browser.notes.get(`${KEY}:signed-out`)], [undefined, undefined])
  })

  test(`a page that was frozen during a sign-out in another learns of it when it is back: ${where}`, async () => {
    const { browser, tab } = world()
    const tabs = [tab(), tab()] as const
    await tabs[0].login(ALICE)
    await settle()
    browser.delayMessages() // without end: a page in the back/forward cache gets no messages
    await tabs[1].logout()
    await settle()
    assert.equal(tabs[0].state, 'active')
    browser.wake(true)
    await settle()
    assert.notEqual(tabs[0].state, 'active')
    await assert.rejects(tabs[0].getAccessToken())
  })

  test(`late and repeated messages about the previous session change nothing: ${where}`, async () => {
    const { browser, issuer, tab } = world()
    const tabs = [tab(), tab(), tab()] as const
    await tabs[0].login(ALICE)
    await settle()
    const deliver = browser.delayMessages()
    tab() // its `hello` is answered with alice's token
    await settle()
    await tabs[0].logout()
    await tabs[1].login(BOB)
    for (const time of [1, 2]) {
      deliver()
      await settle()
      assert.deepEqual(
        new Set(await Promise.all(tabs.map(async tab => sidOf(await tab.getAccessToken())))).size,
        1,
        `${time}`,
      )
      assert.equal(sidOf(await tabs[0].getAccessToken()), issuer.session.sid)
    }
  })
}

test('a page without a session does not disturb a login in another', async () => {
  const browser = new FakeBrowser()
  browser.issuer.usesCookie = true
  browser.hasLocks = false
  const tab = browser.tab({ storage: 'cookie' })
  await tab.ready
  const open = browser.issuer.hold('/token')
  browser.tab({ storage: 'cookie' })
  await tab.login(ALICE)
  open()
  await settle()
  assert.equal(tab.state, 'active')
})

test('a sign-out after a login that is still waiting wins', async () => {
  const browser = new FakeBrowser()
  await browser.signedIn().then(tab => tab.close())
  const open = browser.issuer.hold('/token')
  const tab = browser.tab()
  const logins = [ALICE, BOB].map(who => assert.rejects(tab.login(who), has('ERR_SESSION_SIGNED_OUT')))
  await settle()
  const logout = tab.logout()
  open()
  await Promise.all([...logins, logout])
  await settle()
  assert.equal(tab.state, 'signed-out')
  assert.ok(browser.issuer.sessions.every(({ isOver }) => isOver))
})

test('a new session is adopted even if it is of the same second, or of a node whose clock is behind', async () => {
  for (const ahead of [0, -30]) {
    const browser = new FakeBrowser()
    const tabs = [browser.tab(), browser.tab()] as const
    await tabs[0].login(ALICE)
    await settle()
    browser.issuer.ahead = ahead
    browser.host.elapse(10)
    await tabs[1].login(BOB)
    await settle()
    assert.equal(await tabs[0].getAccessToken(), await tabs[1].getAccessToken())
  }
})

test('a late message about an earlier sign-out does not end a newer session', async () => {
  const browser = new FakeBrowser()
  const tab = browser.tab()
  await tab.ready
  const deliver = browser.delayMessages()
  await browser.tab().logout()
  browser.host.elapse(1)
  await tab.login(ALICE)
  deliver()
  await settle()
  assert.equal(tab.state, 'active')
})

test('a token that arrives expired is ignored, and a token that is already known changes nothing', async () => {
  const browser = new FakeBrowser()
  const [tab, other] = [browser.tab(), browser.tab()]
  await Promise.all([tab.ready, other.ready])
  const deliver = browser.delayMessages()
  await tab.login(ALICE)
  browser.issuer.mood = 'down'
  browser.host.elapse(LIFETIME * 800) // it tries to get another one, without success
  await settle()
  assert.equal(tab.state, 'offline')
  deliver()
  await settle()
  assert.equal(other.state, 'active')
  browser.tab() // both tabs answer its `hello`
  await settle()
  assert.equal(tab.state, 'offline', 'the known token changes nothing')
  browser.host.elapse(LIFETIME * 200)

  const empty = browser.tab({ storage: { get: () => null, set() {}, delete() {} } })
  await empty.ready
  const last = browser.delayMessages()
  browser.issuer.mood = 'up'
  await tab.login(BOB)
  browser.issuer.mood = 'down'
  browser.host.elapse(LIFETIME * 1000)
  await settle()
  last()
  await settle()
  assert.notEqual(empty.state, 'active')
})

test('a login waits for a refresh in progress, because the refresh must not overwrite its cookie', async () => {
  const browser = new FakeBrowser()
  browser.issuer.usesCookie = true
  browser.hasLocks = false
  const tab = await browser.signedIn({ storage: 'cookie' })
  const open = browser.issuer.hold('/token')
  browser.host.elapse(LIFETIME * 1000)
  await settle()
  const login = tab.login(BOB)
  await settle()
  open()
  await login
  assert.equal(browser.issuer.cookie, 's1')
})

test('a login is not undone by a refresh of the previous session that started meanwhile', async () => {
  const browser = new FakeBrowser()
  browser.hasLocks = false
  await browser.signedIn().then(tab => tab.close())
  browser.issuer.mood = 'down'
  const tab = browser.tab()
  assert.equal(await tab.ready, 'offline')
  browser.issuer.mood = 'up'
  const open = { login: browser.issuer.hold('/login'), token: browser.issuer.hold('/token') }
  const login = tab.login(BOB)
  await settle()
  browser.host.elapse(1000)
  await settle()
  assert.equal(browser.issuer.count('/token'), 2)
  open.login()
  await login
  open.token()
  await settle()
  assert.equal(sidOf(await tab.getAccessToken()), browser.issuer.session.sid)
  assert.equal(browser.storage.get(KEY), 's1')
})

test('a token of the previous session that arrives in the second of a new login is not adopted', async () => {
  const browser = new FakeBrowser()
  const tabs = [browser.tab(), browser.tab()] as const
  const channel = browser.platform().channel(KEY)!
  let old: unknown
  channel.onmessage = ({ data }) => void (old ??= data)
  await tabs[0].login(ALICE)
  await settle()
  browser.host.elapse(10)
  await tabs[0].login(BOB)
  browser.host.elapse(10)
  const fresh = browser.tab()
  await settle()
  channel.postMessage(old)
  await settle()
  assert.equal(await fresh.getAccessToken(), await tabs[0].getAccessToken())
})

test('messages of another version and garbage are ignored', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  const before = await tab.getAccessToken()
  const channel = browser.platform().channel(KEY)!
  const value = before
  for (const garbage of [
    { type: 'later' },
    { type: 'token' },
    { type: 'token', value: 'x.y.z', lifetimeMs: 1, wall: 1 },
    { type: 'token', value: `${value}x`, lifetimeMs: NaN, wall: browser.host.now() },
    { type: 'token', value: `${value}x`, lifetimeMs: LIFETIME * 1000, wall: NaN },
    { type: 'token', value: `${value}x`, lifetimeMs: LIFETIME * 1000 },
    { type: 'ended', sid: 'another', kicked: true },
    { type: 'revoked' },
  ])
    channel.postMessage(garbage)
  await settle()
  assert.equal(await tab.getAccessToken(), before)
  assert.equal(tab.state, 'active')
})

test('the tokens of a back end may be passed to `login` twice', async () => {
  const browser = new FakeBrowser()
  const tabs = [browser.tab(), browser.tab()] as const
  const tokens = browser.issuer.tokens()
  await tabs[0].login(tokens)
  await tabs[0].login(tokens)
  await settle()
  browser.host.elapse(LIFETIME * 1000)
  await tabs[0].getAccessToken()
  await tabs[0].login(tokens) // a page from the history, with the tokens that it was served with
  await settle()
  assert.equal(browser.issuer.session.isOver, false)
  browser.host.elapse(LIFETIME * 1000)
  const token = await tabs[1].getAccessToken()
  await settle()
  assert.equal(await tabs[0].getAccessToken(), token, 'the session continues in the first tab')
})

test('a slow storage does not keep the token of a user who signed out meanwhile', async () => {
  const browser = new FakeBrowser()
  let reads: (() => void)[] | undefined
  const { storage } = browser
  const get = async (key: string) => {
    const value = storage.get(key)
    if (reads && key === KEY) await new Promise<void>(resolve => reads!.push(resolve))
    return value
  }
  const tab = await browser.signedIn({ storage: { ...storage, get } })
  const open = browser.issuer.hold('/token')
  browser.host.elapse(LIFETIME * 1000)
  const token = assert.rejects(tab.getAccessToken(), has('ERR_SESSION_SIGNED_OUT'))
  await settle()
  reads = []
  open()
  await settle()
  assert.equal(reads.length, 1, 'the tab checks whether another tab was faster')
  const logout = tab.logout()
  for (const [order, read] of reads.entries()) {
    await settle()
    reads[reads.length - 1 - order]!()
    void read
  }
  await Promise.all([token, logout])
  assert.equal(storage.get(KEY), undefined)
})

test('sessions of different issuers and clients on one origin are separate', async () => {
  const browser = new FakeBrowser()
  const [tab] = [await browser.signedIn({ issuer: `${ISSUER}:8080`, fetch: strip(browser) }), await settle()]
  const other = browser.tab({ clientId: '8080' })
  await settle()
  assert.deepEqual([tab.state, await other.ready], ['active', 'signed-out'])
})

test('a login fails with ERR_SESSION_CLOSED if the session is closed meanwhile', async () => {
  for (const path of ['/login', undefined]) {
    const browser = new FakeBrowser()
    let slow: (() => void) | undefined
    const set = async (key: string, value: string) => {
      if (!path) await new Promise<void>(resolve => (slow = resolve))
      browser.storage.set(key, value)
    }
    const tab = browser.tab({ storage: { ...browser.storage, set } })
    await tab.ready
    const open = path ? browser.issuer.hold(path) : () => slow!()
    const login = assert.rejects(tab.login(ALICE), has('ERR_SESSION_CLOSED'))
    await settle()
    tab.close()
    open()
    await login
  }
})

/** Returns a `fetch` to the fake issuer. This `fetch` ignores the port of the URL. */
function strip({ issuer }: FakeBrowser): typeof globalThis.fetch {
  return ((url: string, init: RequestInit) => issuer.fetch(url.replace(':8080', ''), init)) as typeof globalThis.fetch
}
