// Stories about sessions. The refresh token is in the page's storage or in the issuer's cookie, and the result must be
// the same in both cases.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { kill, setOffline } from './browsers.mjs'
import {
  HOUR,
  PASSWORD,
  renewed,
  sidOf,
  signIn,
  startFront,
  state,
  states,
  token,
  wake,
  worldOf,
} from './session-support.mjs'

const options = { timeout: 60_000 }

export function tellStories({ browser, storage }) {
  const told = `${browser}, ${storage}`

  // Seen in the field: supabase/auth-js#213, directus/directus#22360, medplum/medplum#9113
  test(`ten tabs wake at once, and the session continues in all: ${told}`, options, async story => {
    const { open, flaws } = await worldOf(story, { browser, storage })
    const pages = [await open()]
    await signIn(pages[0])
    const sid = sidOf(await token(pages[0]))
    while (pages.length < 10) pages.push(await open())
    for (let round = 0; round < 3; round++) {
      await Promise.all(pages.map(page => wake(page, HOUR)))
      const tokens = await Promise.all(pages.map(token))
      assert.deepEqual(new Set(tokens.map(sidOf)), new Set([sid]))
    }
    assert.deepEqual(new Set(await states(pages)), new Set(['active']))
    assert.deepEqual(flaws, [])
  })

  // Seen in the field: supabase/supabase-js#1594, #2426
  test(`a tab that is killed while it holds the lock does not block the others: ${told}`, options, async story => {
    const { open, front } = await worldOf(story, { browser, storage })
    const [first, second] = [await open(), await open()]
    await signIn(first)
    await state(second, 'active')
    let holds = true
    front.fate = path => (path === '/token' && holds ? 'held' : undefined)
    const held = once(front, 'held')
    await wake(first, HOUR)
    await held
    holds = false
    await wake(second, HOUR)
    await kill(first)
    assert.match(await token(second), /^ey/)
    assert.deepEqual(await states([second]), ['active'])
  })

  test(`two users sign in in two tabs at once, and both tabs have the same user: ${told}`, options, async story => {
    const { open, issuer, flaws } = await worldOf(story, { browser, storage })
    const pages = [await open(), await open()]
    await issuer.admin('/subjects', { sub: 'bob', password: PASSWORD })
    await Promise.all([signIn(pages[0]), signIn(pages[1], 'bob')])
    // Waits until all tabs have the same session. Then waits until the issuer has only this session.
    while (new Set((await Promise.all(pages.map(token))).map(sidOf)).size > 1);
    let sessions
    do sessions = (await issuer.subjects()).flatMap(subject => subject.sessions)
    while (sessions.length > 1)
    assert.equal(sessions[0].sid, sidOf(await token(pages[0])))
    await Promise.all(pages.map(page => wake(page, HOUR)))
    assert.deepEqual(new Set((await Promise.all(pages.map(token))).map(sidOf)), new Set([sessions[0].sid]))
    assert.deepEqual(flaws, [])
  })

  // Seen in the field: ory/hydra#1831, FusionAuth/fusionauth-issues#2952, better-auth/better-auth#8512
  test(`a lost response does not end the session: ${told}`, options, async story => {
    const { open, front } = await worldOf(story, { browser, storage })
    const page = await open()
    await signIn(page)
    const sid = sidOf(await token(page))
    // If a connection breaks during a request, a browser can send the request again automatically. Therefore the proxy
    // drops all answers until the page is offline.
    front.fate = path => (path === '/token' ? 'lost' : undefined)
    const offline = state(page, 'offline')
    await wake(page, HOUR)
    await offline
    front.fate = () => undefined
    await state(page, 'active')
    assert.equal(sidOf(await token(page)), sid)
  })

  test(
    `a sign-out in one tab signs out all tabs, and ends the session at the issuer: ${told}`,
    options,
    async story => {
      const { open, issuer } = await worldOf(story, { browser, storage })
      const pages = [await open(), await open(), await open()]
      await signIn(pages[0])
      await Promise.all(pages.map(page => state(page, 'active')))
      await pages[1].evaluate(() => session.logout())
      await Promise.all(pages.map(page => state(page, 'signed-out')))
      assert.deepEqual((await issuer.subjects())[0].sessions, [])
      assert.equal(await token(await open()), 'ERR_SESSION_SIGNED_OUT')
    },
  )

  test(`an offline sign-out is completed by a later page: ${told}`, options, async story => {
    const { open, issuer, front } = await worldOf(story, { browser, storage })
    const page = await open()
    await signIn(page)
    front.down = true
    await page.evaluate(() => session.logout())
    assert.deepEqual(await states([page]), ['signed-out'])
    await page.close()
    front.down = false
    const revoked = once(front, '/revoke')
    const later = await open()
    assert.deepEqual(await revoked, [200])
    assert.deepEqual(await states([later]), ['signed-out'])
    assert.deepEqual((await issuer.subjects())[0].sessions, [])
  })

  test(
    `all tabs learn of a kick over one stream, and no tab is signed out by a void: ${told}`,
    options,
    async story => {
      const { open, issuer, requests } = await worldOf(story, { browser, storage, verifier: true })
      const leaders = new Set()
      requests.on('/revocations/stream', page => leaders.add(page))
      const opened = once(requests, '/revocations/stream')
      const pages = [await open(), await open(), await open()]
      await signIn(pages[0])
      await Promise.all(pages.map(page => state(page, 'active')))
      await opened
      const before = await token(pages[2])
      await issuer.admin('/subjects/alice/void')
      await Promise.all(pages.map(page => renewed(page, before)))
      assert.deepEqual(new Set(await states(pages)), new Set(['active']))

      await issuer.admin('/subjects/alice/revoke')
      await Promise.all(pages.map(page => state(page, 'kicked')))
      assert.equal(leaders.size, 1, 'one tab follows for all')
      await signIn(pages[1])
      await Promise.all(pages.map(page => state(page, 'active')))
    },
  )
}

/** Stories for which the place of the refresh token does not matter. */
export function tellOfTheIssuer(browser) {
  // Seen in the field: supabase/auth-js#226, clerk/javascript#7912
  test(`the issuer stops and starts again, and the user stays signed in: ${browser}`, options, async story => {
    const { open, issuer } = await worldOf(story, { browser })
    const pages = [await open(), await open()]
    await signIn(pages[0])
    await state(pages[1], 'active')
    const sid = sidOf(await token(pages[0]))
    await issuer.stop()
    await Promise.all(pages.map(page => wake(page, HOUR)))
    await Promise.all(pages.map(page => state(page, 'offline')))
    assert.equal(await token(pages[0]), 'ERR_SESSION_OFFLINE')
    pages.push(await open())
    assert.deepEqual(await states(pages), ['offline', 'offline', 'offline'])
    await issuer.start()
    await Promise.all(pages.map(page => state(page, 'active')))
    assert.equal(sidOf(await token(pages[2])), sid)
  })

  // Seen in the field: supabase/auth-js#141
  test(
    `a page without a network is offline, and continues when the network is back: ${browser}`,
    options,
    async story => {
      const { open } = await worldOf(story, { browser })
      const page = await open()
      await signIn(page)
      const sid = sidOf(await token(page))
      await setOffline(page, true)
      assert.match(await token(page), /^ey/)
      await wake(page, HOUR)
      await state(page, 'offline')
      assert.equal(await token(page), 'ERR_SESSION_OFFLINE')
      await setOffline(page, false)
      await state(page, 'active')
      assert.equal(sidOf(await token(page)), sid)
    },
  )

  test(`a page that becomes visible again gets a token automatically: ${browser}`, options, async story => {
    const { open, front } = await worldOf(story, { browser })
    const page = await open()
    // Turns timers off, so that only the event can wake the page. This simulates a sleeping laptop, on which no timer
    // runs.
    await page.evaluate(() => void (globalThis.setTimeout = () => 0))
    await signIn(page)
    const before = await token(page)
    const asked = once(front, '/token')
    await wake(page, HOUR, 'visibilitychange')
    assert.deepEqual(await asked, [200])
    assert.equal(sidOf(await token(page)), sidOf(before))
  })

  // Seen in the field: firebase/firebase-js-sdk#6032, workos/authkit-nextjs#470
  test(
    `with a clock that is wrong by a day the user stays signed in, and the issuer’s time is known: ${browser}`,
    options,
    async story => {
      const { open } = await worldOf(story, { browser })
      const page = await open()
      await signIn(page)
      for (const seconds of [-24 * HOUR, 48 * HOUR]) {
        await wake(page, seconds)
        assert.match(await token(page), /^ey/)
        assert.deepEqual(await states([page]), ['active'])
      }
      const off = Math.abs((await page.evaluate(() => session.currentDate().getTime())) - Date.now())
      assert.ok(off < HOUR * 1000, `${off} ms`)
    },
  )

  test(
    `fetch adds the token for its own origin, and does not send it along a redirect: ${browser}`,
    options,
    async story => {
      const { open, front } = await worldOf(story, { browser })
      const page = await open()
      await signIn(page)
      assert.equal(await page.evaluate(() => session.fetch('/sessions').then(answer => answer.status)), 200)
      assert.equal(await page.evaluate(() => fetch('/sessions').then(answer => answer.status)), 401)
      const moved = () => session.fetch('/moved').catch(error => error.code)
      assert.equal(await page.evaluate(moved), 'ERR_REDIRECT_REFUSED')
      assert.deepEqual([front.count('/elsewhere'), front.count('/token')], [0, 0])
    },
  )
}

export function tellOfTheCookie(browser) {
  test(`scripts and other sites cannot use the cookie: ${browser}`, options, async story => {
    const { open, issuer, front, context } = await worldOf(story, { browser, storage: 'cookie' })
    const page = await open()
    await signIn(page)
    // The refresh token, and the proof that the account has logged in on this device before.
    const cookies = await context.cookies()
    assert.equal(cookies.length, 2)
    const inReach = await page.evaluate(
      () => document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage),
    )
    for (const { name, httpOnly, secure, sameSite, value } of cookies) {
      assert.deepEqual([httpOnly, secure, sameSite], [true, true, 'Strict'])
      assert.match(name, /^__Host-/)
      assert.ok(!inReach.includes(value))
    }

    const sibling = await startFront(story, issuer.url)
    for (const [origin, status] of [
      // A page on a different port of the issuer's host belongs to the issuer's site. So the browser sends the cookie,
      // but the issuer refuses the request.
      [sibling.url, 403],
      [front.url.replace('127.0.0.1', 'localhost'), 400],
    ]) {
      const stranger = await context.newPage()
      await stranger.goto(`${origin}/app?storage=memory`)
      for (const path of ['/token', '/revoke']) {
        const answered = once(front, path)
        const seen = await stranger.evaluate(
          url =>
            // The browser sends the request, and then hides the answer (Cross-Origin-Resource-Policy).
            fetch(url, {
              method: 'POST',
              credentials: 'include',
              mode: 'no-cors',
              body: new URLSearchParams({ grant_type: 'refresh_token' }),
            }).then(
              () => 'an answer',
              error => error.name,
            ),
          front.url + path,
        )
        assert.deepEqual(await answered, [status], `${origin} asks for ${path}`)
        assert.equal(seen, 'TypeError', 'the page sees no answer')
      }
    }
    await wake(page, HOUR)
    assert.match(await token(page), /^ey/)
  })
}
