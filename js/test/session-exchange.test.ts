// The requests of a session to the issuer, and the storage of the refresh token.
import assert from 'node:assert/strict'
import test from 'node:test'
import { ISSUER } from './fakes.js'
import { FakeBrowser, LIFETIME, has, settle } from './session-fakes.js'

const KEY = `doorlist:${ISSUER}`

test('requests go only to the issuer, and without cookies if the refresh token is in the body', async () => {
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

test('a refresh token that arrives in another way than the session sends it is refused', async () => {
  const body = new FakeBrowser()
  const { refresh_token, ...others } = body.issuer.tokens()
  await assert.rejects(body.tab().login(others as never), has('ERR_ISSUER_REFUSED'))
  const cookie = new FakeBrowser()
  await assert.rejects(cookie.tab({ storage: 'cookie' }).login({ ...others, refresh_token }), has('ERR_ISSUER_REFUSED'))
  for (const browser of [body, cookie]) assert.equal(browser.storage.get(KEY), undefined)
})

test('a request without an answer is aborted after ten seconds', async () => {
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

test('a refresh does not overwrite a token that another tab wrote meanwhile', async () => {
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

test('a sign-out in another tab takes effect even if its message is lost', async () => {
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

test('a refresh token of an ended session is deleted; a storage that returns another token each time causes only two requests', async () => {
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
