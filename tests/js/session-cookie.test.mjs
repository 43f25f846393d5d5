// doorlist/session in Chromium, with the refresh token in the issuer's cookie.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { tellStories } from './session-stories.mjs'
import { HOUR, signIn, token, wake, worldOf } from './session-support.mjs'

tellStories('cookie')

test('the cookie is out of reach of scripts, and of other sites', { timeout: 60_000 }, async story => {
  const { open, front, context } = await worldOf(story, { storage: 'cookie' })
  const page = await open()
  await signIn(page)
  const [{ name, httpOnly, secure, sameSite, value }, ...others] = await context.cookies()
  assert.deepEqual([others.length, httpOnly, secure, sameSite], [0, true, true, 'Strict'])
  assert.match(name, /^__Host-/)
  const inReach = await page.evaluate(
    () => document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage),
  )
  assert.ok(!inReach.includes(value))

  const stranger = await context.newPage()
  await stranger.goto(`${front.url.replace('127.0.0.1', 'localhost')}/app?storage=memory`)
  for (const path of ['/token', '/revoke']) {
    const answered = once(front, path)
    await stranger.evaluate(
      url =>
        fetch(url, {
          method: 'POST',
          credentials: 'include',
          mode: 'no-cors',
          body: new URLSearchParams({ grant_type: 'refresh_token' }),
        }),
      front.url + path,
    )
    assert.equal((await answered)[0] >= 400, true)
  }
  await wake(page, HOUR)
  assert.match(await token(page), /^ey/)
})
