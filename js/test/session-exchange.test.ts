// The requests to the issuer, and how the refresh token is stored.
import assert from 'node:assert/strict'
import test from 'node:test'
import { ISSUER } from './fakes.js'
import { FakeBrowser, LIFETIME, has, settle } from './session-fakes.js'

const KEY = `doorlist:${ISSUER}`

test('requests go to the issuer alone, without cookies where the token is in the body', async () => {
  const browser = new FakeBrowser()
  const { fetch } = browser.issuer
  const tab = await browser.signedIn({ clientId: 'app', fetch })
  browser.host.elapse(LIFETIME * 1000)
  await tab.getAccessToken()
  await tab.logout()
  assert.deepEqual(browser.issuer.asked, [
    '/login {"username":"alice","password":"wonderland","client_id":"app"}',
    '/token grant_type=refresh_token&refresh_token=r1&client_id=app',
    '/revoke token=r2&client_id=app',
  ])
  for (const { method, credentials, redirect } of browser.issuer.requests)
    assert.deepEqual([method, credentials, redirect], ['POST', 'omit', 'error'])
})

test('a refresh token that comes in another way than it goes is none', async () => {
  const body = new FakeBrowser()
  const { refresh_token, ...others } = body.issuer.tokens()
  await assert.rejects(body.tab().login(others as never), has('ERR_ISSUER_REFUSED'))
  const cookie = new FakeBrowser()
  await assert.rejects(cookie.tab({ storage: 'cookie' }).login({ ...others, refresh_token }), has('ERR_ISSUER_REFUSED'))
  for (const browser of [body, cookie]) assert.equal(browser.storage.get(KEY), undefined)
})

test('an answer that does not come is not waited for', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  browser.issuer.hold('/token')
  browser.host.elapse(LIFETIME * 1000)
  const token = assert.rejects(tab.getAccessToken(), has('ERR_SESSION_OFFLINE'))
  await browser.host.waits(10_000)
  browser.host.elapse(10_000)
  await token
  assert.equal(browser.issuer.requests.at(-1)?.signal?.aborted, true)
})

test('what another tab wrote meanwhile stays', async () => {
  const browser = new FakeBrowser()
  browser.hasLocks = false
  const tab = await browser.signedIn()
  const open = browser.issuer.hold('/token')
  browser.host.elapse(LIFETIME * 1000)
  const token = tab.getAccessToken()
  await settle()
  browser.storage.set(KEY, 'r3')
  open()
  assert.match(await token, /^e30\./)
  assert.equal(browser.storage.get(KEY), 'r3')
})

test('a sign-out of another tab is one, though nobody told of it', async () => {
  const browser = new FakeBrowser()
  const tab = await browser.signedIn()
  const open = browser.issuer.hold('/token')
  browser.host.elapse(LIFETIME * 1000)
  const token = assert.rejects(tab.getAccessToken(), has('ERR_SESSION_SIGNED_OUT'))
  await settle()
  browser.storage.delete(KEY)
  open()
  await token
  assert.equal(browser.storage.get(KEY), undefined)
})

test('a token that is over is thrown away; a storage that tells another each time is not believed for ever', async () => {
  const browser = new FakeBrowser()
  let count = 0
  const get = (key: string) => (key === KEY && count > 0 ? `r${count++}` : browser.storage.get(key))
  const tab = await browser.signedIn({ storage: { ...browser.storage, get } })
  browser.issuer.session.isOver = true
  count = 1
  browser.host.elapse(LIFETIME * 1000)
  await assert.rejects(tab.getAccessToken(), has('ERR_SESSION_KICKED'))
  assert.equal(browser.issuer.count('/token'), 2)
  assert.equal(browser.storage.get(KEY), undefined)
})
