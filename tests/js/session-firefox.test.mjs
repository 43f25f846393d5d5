// doorlist/session in Firefox: tabs, outages and kicks of a real issuer.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { tellOfTheIssuer, tellStories } from './session-stories.mjs'
import { signIn, state, worldOf } from './session-support.mjs'

tellStories({ browser: 'Firefox', storage: 'shared' })
tellOfTheIssuer('Firefox')

// Playwright runs Chromium without a back/forward cache; Firefox has one that pages of sessions may enter.
test('a page that is gone back to hears of the kick that it missed', { timeout: 60_000 }, async story => {
  const { open, issuer, front } = await worldOf(story, { browser: 'Firefox' })
  const page = await open()
  await signIn(page)
  await page.goto(`${front.url}/package/session.js`)
  await issuer.admin('/subjects/alice/revoke')
  const asked = once(front, '/token')
  await page.evaluate(() => history.back())
  assert.deepEqual(await asked, [400])
  // A page that was loaded anew would be signed out: it never knew of the session.
  await state(page, 'kicked')
})
