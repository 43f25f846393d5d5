// doorlist/session while the issuer, or the tab that holds the lock, is away for a long time. The tests use Chromium,
// because Playwright can stop the clocks of Chromium.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOUR, sidOf, signIn, state, states, token, wake, worldOf } from './session-support.mjs'

const options = { timeout: 60_000 }
const browser = 'Chromium'

test(
  'in a minute without the issuer no user is signed out, and few requests are sent (field: supabase/auth-js#141, #226, clerk/javascript#7912)',
  options,
  async story => {
    const { open, front, context, requests } = await worldOf(story, { browser })
    const { clock } = context
    // The test controls only the wall clock of the page. The monotonic clock of the page and the clock of the issuer
    // are real. If the test sets the wall clock ahead, the page assumes that the laptop has slept. During such a sleep,
    // a monotonic clock can stand still.
    await context.addInitScript(() => (globalThis.realNow = performance.now.bind(performance)))
    await clock.install()
    await context.addInitScript(() => (performance.now = globalThis.realNow))
    const pages = [await open(), await open(), await open()]
    await signIn(pages[0])
    await Promise.all(pages.map(page => state(page, 'active')))
    const sid = sidOf(await token(pages[0]))
    let asked = 0
    requests.on('/token', () => asked++)
    /** Moves the browser's clock forward by `ms` milliseconds. Then waits for the work that has begun in this time. */
    const run = async ms => {
      await clock.runFor(ms)
      await pages[0].evaluate(() => navigator.locks.request(`doorlist:${location.origin}`, () => {}))
    }

    front.down = true
    await clock.pauseAt(Date.now() + HOUR * 1000) // the laptop slept
    for (let second = 0; second < 60; second++) await run(1000)
    assert.deepEqual(await states(pages), ['offline', 'offline', 'offline'])
    // The maximum pauses between the retries are 1, 2, 4, 8, 16 and 32 seconds. Each pause is at least half as long as
    // its maximum.
    assert.ok(asked >= pages.length && asked <= 7 * pages.length, `${asked} requests without a user`)

    asked = 0
    for (let turn = 0; turn < 50; turn++) {
      assert.deepEqual(new Set(await Promise.all(pages.map(token))), new Set(['ERR_SESSION_OFFLINE']))
      await run(100)
    }
    assert.ok(asked <= 6 * pages.length, `${asked} times in five seconds in which each tab wanted a token fifty times`)

    front.down = false
    const active = Promise.all(pages.map(page => state(page, 'active'))).then(() => true)
    while (!(await Promise.race([active, run(1000)])));
    assert.deepEqual(new Set((await Promise.all(pages.map(token))).map(sidOf)), new Set([sid]))
  },
)

test(
  'other tabs continue without a lock that a frozen tab never releases (field: supabase/supabase-js#1594, #2013, #2426)',
  options,
  async story => {
    const { open } = await worldOf(story, { browser })
    const [frozen, other] = [await open(), await open()]
    await signIn(frozen)
    await state(other, 'active')
    const sid = sidOf(await token(frozen))
    await frozen.evaluate(
      () =>
        new Promise(held => {
          void navigator.locks.request(`doorlist:${location.origin}`, () => {
            held()
            return new Promise(() => {})
          })
        }),
    )
    await Promise.all([frozen, other].map(page => wake(page, HOUR)))
    assert.deepEqual((await Promise.all([frozen, other].map(token))).map(sidOf), [sid, sid])
  },
)
