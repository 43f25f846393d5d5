import assert from 'node:assert/strict'
import test from 'node:test'
import { FakeBrowser } from './session-fakes.js'

const alice = { username: 'alice', password: 'wonderland' }

test('the error for a request without an answer names the allowed origins as a possible cause', async () => {
  const browser = new FakeBrowser()
  const tab = browser.tab({ storage: 'cookie' }) // whether a user is signed in is unknown before the issuer answers
  browser.issuer.mood = 'down'
  assert.equal(await tab.ready, 'offline')
  const hint = { code: 'ERR_SESSION_OFFLINE', message: /DOORLIST_ALLOWED_ORIGINS/ }
  await assert.rejects(tab.login(alice), hint)
  await assert.rejects(tab.getAccessToken(), hint)
})

test('the message of a refusal contains the issuer’s error, or the HTTP status', async () => {
  const answers = [{ error: 'cross_site_request' }, {}]
  for (const [index, called] of ['cross_site_request', '403'].entries()) {
    const tab = new FakeBrowser().tab({ fetch: async () => Response.json(answers[index], { status: 403 }) })
    await assert.rejects(tab.login(alice), { code: 'ERR_ISSUER_REFUSED', message: `the issuer answered ${called}` })
  }
})
