// C2: a service worker or a proxy sends an old answer of `/token`. The status is 200, but the token in the answer is
// not new.
import assert from 'node:assert/strict'
import test from 'node:test'
import { ISSUER } from './fakes.js'
import { FakeBrowser, LIFETIME, has, settle } from './session-fakes.js'

const KEY = `doorlist:${ISSUER}`

for (const storage of ['cookie', undefined] as const) {
  const where = storage ?? 'storage'
  const signedIn = async () => {
    const browser = new FakeBrowser()
    browser.issuer.usesCookie = storage === 'cookie'
    return { browser, tab: await browser.signedIn(storage && { storage }) }
  }
  /** Returns a function that creates an answer to the next refresh. The answer contains the given access token. */
  const nextAnswer = async ({ host, issuer }: FakeBrowser) => {
    host.elapse(LIFETIME * 1000)
    await settle()
    const { refresh_token, ...others } = issuer.tokens()
    return (access_token: string) =>
      Response.json({ ...others, access_token, ...(storage === undefined && { refresh_token }) })
  }

  test(`C2: a repetition of the last answer of /token is an error that names the cache: ${where}`, async () => {
    const { browser, tab } = await signedIn()
    const answer = await nextAnswer(browser)
    const first = await tab.getAccessToken()
    const kept = browser.storage.get(KEY)
    browser.issuer.mood = () => answer(first)
    browser.host.elapse(LIFETIME * 1000)
    await assert.rejects(tab.getAccessToken(), error => {
      assert.match(String(error), /from a cache/)
      return has('ERR_SESSION_OFFLINE')(error)
    })
    assert.equal(tab.state, 'offline')
    assert.equal(browser.storage.get(KEY), kept)

    browser.issuer.mood = 'up'
    browser.host.elapse(1000)
    await settle()
    assert.equal(tab.state, 'active')
    assert.equal(await tab.getAccessToken(), browser.issuer.last)
  })

  test(`C2: an older answer of /token is not stored over newer tokens: ${where}`, async () => {
    const { browser, tab } = await signedIn()
    const answer = await nextAnswer(browser)
    const old = await tab.getAccessToken()
    for (let round = 0; round < 3; round++) {
      browser.host.elapse(LIFETIME * 1000)
      await settle()
    }
    const { cookie } = browser.issuer
    const kept = browser.storage.get(KEY)
    if (storage === undefined) assert.equal(kept, 'r5')
    browser.issuer.mood = () => answer(old)
    browser.host.elapse(LIFETIME * 1000)
    await assert.rejects(tab.getAccessToken(), has('ERR_SESSION_OFFLINE'))
    assert.deepEqual([browser.storage.get(KEY), browser.issuer.cookie], [kept, cookie])
    browser.issuer.mood = 'up'
    browser.host.elapse(1000)
    await settle()
    assert.equal(tab.state, 'active')
    assert.equal(browser.issuer.session.isOver, false)
  })
}

test('C2: an answer with the same token for two tabs in one second does not count as an old answer', async () => {
  const browser = new FakeBrowser()
  browser.hasLocks = false
  const tabs = [await browser.signedIn(), browser.tab()] as const
  await tabs[1].ready
  await settle()
  browser.host.elapse(LIFETIME * 1000)
  const answer = browser.issuer.tokens()
  browser.issuer.mood = () => Response.json(answer)
  assert.deepEqual(await Promise.all(tabs.map(tab => tab.getAccessToken())), [answer.access_token, answer.access_token])
  assert.deepEqual(
    tabs.map(({ state }) => state),
    ['active', 'active'],
  )
})
