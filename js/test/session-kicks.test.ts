// A verifier tells a session that its access token is revoked. The reason is a kick, or a void. After a void, the
// session refreshes and gets a new token.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { SessionVerifier } from '../types/session.js'
import { ISSUER } from './fakes.js'
import { FakeBrowser, LIFETIME, claimsOf, has, settle } from './session-fakes.js'

/** A verifier for which a test chooses the revoked tokens. */
class FakeVerifier implements SessionVerifier {
  readonly listeners = new Set<() => void>()
  revoked = new Set<unknown>()
  closed = 0
  on = ((_name: string, listener: () => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }) as unknown as SessionVerifier['on']
  assertNotRevoked = ((payload: { jti?: string }) => {
    if (this.revoked.has(payload.jti)) throw Object.assign(new Error('revoked'), { code: 'ERR_JWT_REVOKED' })
  }) as unknown as SessionVerifier['assertNotRevoked']
  close = () => void this.closed++
  revoke(token: string): void {
    this.revoked.add(claimsOf(token).jti)
    for (const listener of this.listeners) listener()
  }
}

test('all tabs share one verifier; a kick reaches all of them, and the next leader takes over', async () => {
  const browser = new FakeBrowser()
  const made: FakeVerifier[] = []
  const verifier = async () => {
    made.push(new FakeVerifier())
    return made.at(-1)!
  }
  const tabs = [await browser.signedIn({ verifier }), browser.tab({ verifier }), browser.tab({ verifier })] as const
  await Promise.all(tabs.map(tab => tab.ready))
  await settle()
  assert.equal(made.length, 1)
  const before = await tabs[0].getAccessToken()

  made[0]!.revoke(before) // voided: refreshed without a visible change
  await settle()
  assert.ok(tabs.every(tab => tab.state === 'active'))
  for (const tab of tabs) assert.notEqual(await tab.getAccessToken(), before)

  browser.issuer.session.isOver = true
  made[0]!.revoke(await tabs[0].getAccessToken())
  await settle()
  assert.deepEqual(
    tabs.map(tab => tab.state),
    ['kicked', 'kicked', 'kicked'],
  )
  await assert.rejects(tabs[2].getAccessToken(), has('ERR_SESSION_KICKED'))

  tabs[0].close()
  await settle()
  assert.deepEqual([made.length, made[0]!.closed], [2, 1])
})

/** Returns a generator of different numbers, so that no two tabs wait for the same time. */
const varied = () => {
  let calls = 0
  return () => (calls++ % 7) / 7
}

/** Lets time pass in steps, so that the tabs receive each other's messages. */
const pass = async (browser: FakeBrowser, seconds: number) => {
  for (let left = seconds; left > 0; left -= 5) {
    browser.host.elapse(5_000)
    await settle()
  }
}

test('if the leading tab is frozen, one other tab follows the list, and a kick reaches all tabs', async () => {
  const browser = new FakeBrowser()
  browser.host.random = varied()
  browser.locks.take(`doorlist:${ISSUER}:lead`)
  const made: FakeVerifier[] = []
  const verifier = async () => {
    made.push(new FakeVerifier())
    return made.at(-1)!
  }
  const tabs = [await browser.signedIn({ verifier }), browser.tab({ verifier }), browser.tab({ verifier })] as const
  await Promise.all(tabs.map(tab => tab.ready))
  await settle()
  assert.equal(made.length, 0, 'the other tabs do not know yet whether a tab leads')
  await pass(browser, 200)
  assert.equal(made.length, 1)
  await pass(browser, 3600)
  assert.equal(made.length, 1, 'the other tabs know that one tab leads')

  browser.issuer.session.isOver = true
  made[0]!.revoke(await tabs[0].getAccessToken())
  await settle()
  assert.deepEqual(
    tabs.map(tab => tab.state),
    ['kicked', 'kicked', 'kicked'],
  )
  for (const tab of tabs) tab.close()
  await browser.host.idle()
  assert.equal(made[0]!.closed, 1)
})

test('while the leading tab runs, no other tab leads', async () => {
  const browser = new FakeBrowser()
  browser.host.random = varied()
  let made = 0
  const verifier = async () => {
    made++
    return new FakeVerifier()
  }
  const tabs = [await browser.signedIn({ verifier }), browser.tab({ verifier }), browser.tab({ verifier })]
  await pass(browser, 3600)
  assert.equal(made, 1)
  for (const tab of tabs) tab.close()
})

test('a verifier that revokes every token causes only one refresh', async () => {
  const browser = new FakeBrowser()
  const verifier = new FakeVerifier()
  const tab = await browser.signedIn({ verifier })
  verifier.assertNotRevoked = () => {
    throw Object.assign(new Error('revoked'), { code: 'ERR_JWT_REVOKED' })
  }
  verifier.revoke(await tab.getAccessToken())
  await settle()
  await tab.getAccessToken()
  assert.equal(browser.issuer.count('/token'), 1)
})

test('a token that the list has already revoked is not served', async () => {
  const browser = new FakeBrowser()
  const verifier = new FakeVerifier()
  const tab = browser.tab({ verifier })
  await tab.ready
  const tokens = browser.issuer.tokens()
  verifier.revoke(tokens.access_token)
  await tab.login(tokens)
  assert.equal(await tab.getAccessToken(), browser.issuer.last)
  assert.equal(browser.issuer.count('/token'), 1)
})

test('no tab serves a revoked token, even in an outage', async () => {
  const browser = new FakeBrowser()
  const verifier = new FakeVerifier()
  const tabs = [await browser.signedIn({ verifier: async () => verifier }), browser.tab()] as const
  await tabs[1].ready
  await settle()
  browser.issuer.mood = 'down'
  verifier.revoke(await tabs[0].getAccessToken())
  await settle()
  for (const tab of tabs) await assert.rejects(tab.getAccessToken(), has('ERR_SESSION_OFFLINE'))
})

test('a refresh that was sent before a void is repeated', async () => {
  const browser = new FakeBrowser()
  const verifier = new FakeVerifier()
  const tab = await browser.signedIn({ verifier })
  const before = await tab.getAccessToken()
  const open = browser.issuer.hold('/token')
  browser.host.elapse(LIFETIME * 700)
  await settle() // the issuer makes the answer before the void, and it arrives after it
  verifier.revoke(before)
  await settle()
  open()
  await settle()
  assert.equal(browser.issuer.count('/token'), 2)
  assert.equal(await tab.getAccessToken(), browser.issuer.last)
})

test('a kick that arrives before the answer of a refresh ends the session', async () => {
  const browser = new FakeBrowser()
  const verifier = new FakeVerifier()
  const tab = await browser.signedIn({ verifier })
  const before = await tab.getAccessToken()
  const open = browser.issuer.hold('/token')
  browser.host.elapse(LIFETIME * 700)
  await settle()
  browser.issuer.session.isOver = true
  verifier.revoke(before)
  open()
  await settle()
  assert.equal(tab.state, 'kicked')
})

test('a kick that the list and /token report at the same time ends the session once', async () => {
  const browser = new FakeBrowser()
  const verifier = new FakeVerifier()
  const tab = await browser.signedIn({ verifier })
  const before = await tab.getAccessToken()
  browser.issuer.session.isOver = true
  const open = browser.issuer.hold('/token')
  browser.host.elapse(LIFETIME * 700)
  await settle()
  verifier.revoke(before)
  open()
  await settle()
  assert.equal(tab.state, 'kicked')
})

test('a request that is refused while its token is being replaced waits for the new token', async () => {
  const browser = new FakeBrowser()
  const verifier = new FakeVerifier()
  let refuse = (_response: Response) => {}
  const seen: (string | null)[] = []
  const { fetch: issuer } = browser.issuer
  const fetch = (async (input: string, init: RequestInit) => {
    if (!input.endsWith('/me')) return issuer(input, init)
    seen.push(new Headers(init.headers).get('authorization'))
    return seen.length > 1 ? new Response('ok') : new Promise<Response>(resolve => (refuse = resolve))
  }) as typeof globalThis.fetch
  const tab = await browser.signedIn({ verifier, fetch })
  const before = await tab.getAccessToken()
  const answer = tab.fetch(`${ISSUER}/me`)
  await settle()
  const open = browser.issuer.hold('/token')
  verifier.revoke(before)
  refuse(new Response(null, { status: 401 }))
  await settle()
  open()
  assert.equal((await answer).status, 200)
  assert.deepEqual(seen, [`Bearer ${before}`, `Bearer ${await tab.getAccessToken()}`])
})

test('a page to which the browser refuses locks follows the list on its own', async () => {
  const browser = new FakeBrowser()
  browser.locks.request = async () => {
    throw new DOMException('denied', 'SecurityError')
  }
  const verifier = new FakeVerifier()
  const tab = await browser.signedIn({ verifier: async () => verifier })
  browser.issuer.session.isOver = true
  verifier.revoke(await tab.getAccessToken())
  await settle()
  assert.equal(tab.state, 'kicked')
  tab.close()
  assert.equal(verifier.closed, 1)
})

test('creating the verifier is retried after a failure; a verifier that arrives after `close` is closed', async () => {
  const browser = new FakeBrowser()
  const made: ((verifier: SessionVerifier) => void)[] = []
  let fails = true
  const verifier = () => {
    if (fails) throw new Error('no network')
    return new Promise<SessionVerifier>(resolve => made.push(resolve))
  }
  const tab = await browser.signedIn({ verifier })
  await settle()
  fails = false
  browser.host.elapse(1000)
  assert.equal(made.length, 1)
  tab.close()
  const late = new FakeVerifier()
  made[0]!(late)
  await settle()
  assert.deepEqual([late.closed, late.listeners.size], [1, 0])
})

test('a missing or stale list does not count as a kick', async () => {
  const browser = new FakeBrowser()
  const verifier = new FakeVerifier()
  const tab = await browser.signedIn({ verifier })
  for (const code of ['ERR_LIST_MISSING', 'ERR_LIST_STALE', undefined]) {
    verifier.assertNotRevoked = () => {
      throw Object.assign(new Error('no list'), { code })
    }
    for (const listener of verifier.listeners) listener()
  }
  await settle()
  assert.deepEqual([tab.state, browser.issuer.count('/token')], ['active', 0])
})

test('a lock that is stolen, and a verifier that cannot be created yet, cause no unhandled error', async () => {
  const browser = new FakeBrowser()
  const { locks } = browser
  const request = locks.request.bind(locks)
  let steal = () => {}
  locks.request = ((name, options, work) =>
    name.endsWith(':lead')
      ? (void work(), new Promise((_, reject) => (steal = () => reject(new DOMException('stolen', 'AbortError')))))
      : request(name, options, work)) as typeof locks.request
  let made = 0
  const tab = await browser.signedIn({
    verifier: async () => {
      made++
      throw new Error('no network')
    },
  })
  steal()
  await settle()
  assert.equal(made, 1)
  tab.close()
  await browser.host.idle()
})

test('a tab that is closed while it waits for the lead creates no verifier', async () => {
  const browser = new FakeBrowser()
  let made = 0
  const verifier = async () => {
    made++
    return new FakeVerifier()
  }
  const tabs = [browser.tab({ verifier }), browser.tab({ verifier })] as const
  await Promise.all(tabs.map(tab => tab.ready))
  await settle()
  tabs[1].close()
  tabs[0].close()
  await settle()
  assert.equal(made, 1)
})
