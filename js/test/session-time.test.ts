// Some tests use clocks that show a wrong time, jump or stand still. Other tests check when a new token replaces the
// old token.
import assert from 'node:assert/strict'
import test from 'node:test'
import { FakeBrowser, LIFETIME, has, settle } from './session-fakes.js'

test('a token is refreshed before its expiry, for each tab and token at a different time (field: mozilla/fxa-oauth-server#370)', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  const first = await tab.getAccessToken()
  browser.host.elapse(LIFETIME * 700 - 1)
  await settle()
  assert.equal(browser.issuer.count('/token'), 0)
  browser.host.elapse(1)
  browser.host.elapse(30_000)
  await settle()
  assert.equal(browser.issuer.count('/token'), 1)
  assert.notEqual(await tab.getAccessToken(), first)

  const early = browser.host.random
  browser.host.random = () => 0.999
  await tab.login({ username: 'alice', password: 'wonderland' })
  browser.host.elapse(LIFETIME * 850)
  await settle()
  assert.equal(browser.issuer.count('/token'), 1, 'the random number gives a later time')
  browser.host.random = early
})

for (const jump of [-400, 400]) {
  test(`with a clock that is ${jump} days off, the user stays signed in and no expired token is served (field: firebase/firebase-js-sdk#6032, workos/authkit-nextjs#470)`, async () => {
    const browser = new FakeBrowser()
    browser.issuer.ahead = -jump * 86_400
    const tab = await browser.signedIn()
    const first = await tab.getAccessToken()
    const issuers = browser.host.now() - jump * 86_400_000
    assert.equal(Math.trunc((tab.currentDate().getTime() - issuers) / 1000), 0)

    browser.host.set(jump * 86_400_000)
    browser.wake()
    await settle()
    assert.equal(tab.state, 'active')
    assert.equal(browser.issuer.count('/token'), jump > 0 ? 1 : 0)
    if (jump < 0) {
      browser.host.elapse(LIFETIME * 1000)
      assert.notEqual(await tab.getAccessToken(), first)
    }
  })
}

test('a token from another tab keeps its age even if the clock was set back in between', async () => {
  const browser = new FakeBrowser()
  await browser.signedIn()
  browser.issuer.mood = 'down'
  browser.host.elapse(LIFETIME * 600)
  browser.host.set(-86_400_000)
  const other = browser.tab()
  await settle()
  await other.getAccessToken()
  browser.host.elapse(LIFETIME * 399) // the token lives, but would expire during a request
  await assert.rejects(other.getAccessToken(), has('ERR_SESSION_OFFLINE'))
})

test('a timer that the browser delays does not delay the refresh', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  const first = await tab.getAccessToken()
  browser.host.set(LIFETIME * 800)
  assert.equal(await tab.getAccessToken(), first)
  await settle()
  assert.notEqual(await tab.getAccessToken(), first)
})

test('the sleep of a laptop is noticed within half a minute, even if no event wakes the page', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  browser.host.set(LIFETIME * 1000)
  browser.host.elapse(30_000)
  await settle()
  assert.deepEqual([tab.state, browser.issuer.count('/token')], ['active', 1])
})

test('after the sleep of a laptop whose monotonic clock stopped, no expired token is served', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  const first = await tab.getAccessToken()
  browser.host.set(LIFETIME * 1000)
  assert.notEqual(await tab.getAccessToken(), first)
})
