// doorlist/session in Firefox: tabs, outages and kicks of a real issuer.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { tellOfTheIssuer, tellStories } from './session-stories.mjs'
import { signIn, worldOf } from './session-support.mjs'

tellStories({ browser: 'Firefox', storage: 'shared' })
tellOfTheIssuer('Firefox')

// Playwright runs Chromium without a back/forward cache. Firefox has such a cache, and pages with a session may
// enter it.
test(
  'a page restored from the back/forward cache learns of the kick that it missed',
  { timeout: 60_000 },
  async story => {
    const { open, issuer, front } = await worldOf(story, { browser: 'Firefox' })
    const page = await open()
    await signIn(page)
    // The page reports by requests, because an `evaluate` during the restoration may never return.
    await page.evaluate(() => void session.onChange(() => fetch(`/told/${session.state}`)))
    await page.goto(`${front.url}/package/session.js`)
    await issuer.admin('/subjects/alice/revoke')
    const heard = Promise.all([once(front, '/token'), once(front, '/told/kicked')])
    // `goBack` waits for a load event, which a restored page does not have. Therefore its promise rejects when the
    // browser closes.
    page.goBack({ timeout: 0 }).catch(() => {})
    // A reloaded page would be signed out, because it would not know the session.
    assert.deepEqual(await heard, [[400], [404]])
  },
)
