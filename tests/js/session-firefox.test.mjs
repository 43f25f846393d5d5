// doorlist/session in Firefox with the real issuer: tabs, outages and kicks.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { tellOfTheIssuer, tellStories } from './session-stories.mjs'
import { signIn, worldOf } from './session-support.mjs'

tellStories({ browser: 'Firefox', storage: 'shared' })
tellOfTheIssuer('Firefox')

// This test needs a back/forward cache. Playwright turns off this cache in Chromium. In Firefox, a page with a session
// can enter the cache.
test(
  'a page restored from the back/forward cache learns of the kick that it missed',
  { timeout: 60_000 },
  async story => {
    const { open, issuer, front } = await worldOf(story, { browser: 'Firefox' })
    const page = await open()
    await signIn(page)
    // The page sends a request to report its state. A call of `evaluate` might never return while the page is restored.
    await page.evaluate(() => void session.onChange(() => fetch(`/told/${session.state}`)))
    await page.goto(`${front.url}/package/session.js`)
    await issuer.admin('/subjects/alice/revoke')
    const heard = Promise.all([once(front, '/token'), once(front, '/told/kicked')])
    // `goBack` waits for a load event, but a restored page has no load event. The promise of `goBack` rejects when the
    // browser is closed.
    page.goBack({ timeout: 0 }).catch(() => {})
    // The page must be restored, and not reloaded. A reloaded page would not know the session, and would be signed out.
    assert.deepEqual(await heard, [[400], [404]])
  },
)
