// Sessions that begin at the same time do not refresh at the same time.
import assert from 'node:assert/strict'
import test from 'node:test'
import { scheduleOf } from '../src/session/schedule.js'
import { FakeHost } from './fakes.js'
import { FakeBrowser, LIFETIME, settle } from './session-fakes.js'

/** One hundred random values, evenly spaced. */
const CHANCES = Array.from({ length: 100 }, (_, percent) => percent / 100)

test('tokens issued in one second are refreshed over a fifth of their lifetime (field: mozilla/fxa-oauth-server#370)', async () => {
  const host = new FakeHost()
  const browsers = CHANCES.map(() => new FakeBrowser(host))
  for (const [index, browser] of browsers.entries()) {
    host.random = () => CHANCES[index]!
    await browser.signedIn()
  }
  const asked = () => browsers.filter(({ issuer }) => issuer.count('/token') > 0).length
  let before = 0
  for (let percent = 1; percent <= 91; percent++) {
    host.elapse(LIFETIME * 10)
    await settle()
    const now = asked()
    if (percent < 70) assert.equal(now, 0, `${percent} %`)
    else assert.ok(now - before <= 6, `${now - before} at ${percent} %`)
    before = now
  }
  assert.equal(before, CHANCES.length)
})

test('after an outage the requests of all clients are spread over time (field: mozilla/fxa-oauth-server#370)', () => {
  const host = new FakeHost()
  const waiting = CHANCES.map(chance => {
    const schedule = scheduleOf(host, () => {})
    host.random = () => chance
    for (let failure = 0; failure < 10; failure++) schedule.retry(0)
    const ms = schedule.dueIn()
    schedule.close()
    return ms
  })
  for (let from = 60_000; from < 120_000; from += 6_000)
    assert.equal(waiting.filter(ms => ms >= from && ms < from + 6_000).length, 10, `from ${from} ms on`)
})
