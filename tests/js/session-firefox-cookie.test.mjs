// doorlist/session in Firefox, with the refresh token in the issuer's cookie.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tellOfTheCookie, tellStories } from './session-stories.mjs'
import { signIn, state, token, worldOf } from './session-support.mjs'

tellStories({ browser: 'Firefox', storage: 'cookie' })
tellOfTheCookie('Firefox')

// If cookies are disabled, Firefox refuses channels, locks and storage. The constructor of a channel throws; a lock is
// refused when it is requested.
test(
  'in a browser that keeps no cookies, a login lasts as long as its page, and a kick ends it',
  { timeout: 60_000 },
  async story => {
    const preferences = { 'network.cookie.cookieBehavior': 2 }
    const { open, issuer } = await worldOf(story, {
      browser: 'Firefox',
      preferences,
      storage: 'cookie',
      verifier: true,
    })
    const page = await open()
    await signIn(page)
    assert.match(await token(page), /^ey/)
    await issuer.admin('/subjects/alice/revoke')
    await state(page, 'kicked')
  },
)
