// What two tabs may do to each other: everything here was somebody's bug report, or would have been.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { SessionState } from '../types/session.js'
import { isSessionError } from '../src/session/index.js'
import { ISSUER } from './fakes.js'
import { FakeBrowser, LIFETIME, settle } from './session-fakes.js'

const KEY = `doorlist:${ISSUER}`
const ALICE = { username: 'alice', password: 'wonderland' }
const BOB = { username: 'bob', password: 'wonderland' }
const has = (code: string) => (error: unknown) => isSessionError(error, code as never)
const sidOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).sid

for (const storage of ['cookie', undefined] as const) {
  const world = () => {
    const browser = new FakeBrowser()
    browser.issuer.usesCookie = storage === 'cookie'
    return { browser, issuer: browser.issuer, tab: () => browser.tab(storage && { storage }) }
  }
  const where = storage ?? 'storage'

  test(`two users sign in in two tabs at once: one of them stands in both, the other is signed out: ${where}`, async () => {
    const { browser, issuer, tab } = world()
    const tabs = [tab(), tab()] as const
    await Promise.all(tabs.map(tab => tab.ready))
    const first = issuer.hold('/login')
    const logins = [tabs[0].login(ALICE), tabs[1].login(BOB)]
    await settle()
    first()
    const second = issuer.hold('/login') // so that the one is heard of in the middle of the other
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

  test(`whoever was kicked signs in while another tab is still telling of it: ${where}`, async () => {
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

  test(`a sign-out in one tab is none of the login in another: ${where}`, async () => {
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

  test(`signing out before anything is known signs out all tabs, and no late answer undoes it: ${where}`, async () => {
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

  test(`a page that was frozen when another signed out knows once it is back: ${where}`, async () => {
    const { browser, tab } = world()
    const tabs = [tab(), tab()] as const
    await tabs[0].login(ALICE)
    await settle()
    browser.delayMessages() // for ever: a page in the back/forward cache is not told
    await tabs[1].logout()
    await settle()
    assert.equal(tabs[0].state, 'active')
    browser.wake(true)
    await settle()
    assert.notEqual(tabs[0].state, 'active')
    await assert.rejects(tabs[0].getAccessToken())
  })

  test(`what was said of the session before comes late, twice, and changes nothing: ${where}`, async () => {
    const { browser, issuer, tab } = world()
    const tabs = [tab(), tab(), tab()] as const
    await tabs[0].login(ALICE)
    await settle()
    const deliver = browser.delayMessages()
    tab() // whose `hello` is answered with alice's token
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

test('a new session is adopted though it is of the same second, or of a node whose clock is behind', async () => {
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

test('a token of before, told in the second of the new login, is not adopted', async () => {
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

test('a page of another version, or garbage, says what nobody understands', async () => {
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

test('the tokens of a back end may be handed over twice', async () => {
  const browser = new FakeBrowser()
  const tabs = [browser.tab(), browser.tab()] as const
  const tokens = browser.issuer.tokens()
  await tabs[0].login(tokens)
  await tabs[0].login(tokens)
  await settle()
  browser.host.elapse(LIFETIME * 1000)
  await tabs[0].getAccessToken()
  await tabs[0].login(tokens) // a page of the history, with what it was served
  await settle()
  assert.equal(browser.issuer.session.isOver, false)
  browser.host.elapse(LIFETIME * 1000)
  const token = await tabs[1].getAccessToken()
  await settle()
  assert.equal(await tabs[0].getAccessToken(), token, 'its session has not ended for it')
})

test('a slow storage keeps no token of somebody who signed out meanwhile', async () => {
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
  assert.equal(reads.length, 1, 'it looks whether another tab was faster')
  const logout = tab.logout()
  for (const [order, read] of reads.entries()) {
    await settle()
    reads[reads.length - 1 - order]!()
    void read
  }
  await Promise.all([token, logout])
  assert.equal(storage.get(KEY), undefined)
})

test('issuers and clients of one origin are told apart', async () => {
  const browser = new FakeBrowser()
  const [tab] = [await browser.signedIn({ issuer: `${ISSUER}:8080`, fetch: strip(browser) }), await settle()]
  const other = browser.tab({ clientId: '8080' })
  await settle()
  assert.deepEqual([tab.state, await other.ready], ['active', 'signed-out'])
})

test('closed in the middle of a login: said as that', async () => {
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

/** To the issuer of the fakes, whatever the port. */
function strip({ issuer }: FakeBrowser): typeof globalThis.fetch {
  return ((url: string, init: RequestInit) => issuer.fetch(url.replace(':8080', ''), init)) as typeof globalThis.fetch
}
