// The time that a verifier uses. It is the time of the host's clock, or `currentDate`. If the time of a list is later
// than this time, the verifier uses the time of the list.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import type { Verifier, VerifierOptions } from '../types/index.js'
import { makeCreateVerifier } from '../src/api.js'
import { isTokenError } from '../src/errors.js'
import { lazily } from '../src/wasm.js'
import { FakeHost } from './fakes.js'
import { AUDIENCE, ISSUER, TestIssuer } from './issuer.js'
import { FakeBrowser, LIFETIME } from './session-fakes.js'

const issuer = await TestIssuer.create()
const HOUR = 3600
const module = lazily(() => readFileSync(new URL('../wasm/verifier.wasm', import.meta.url)))

/** A host whose wall clock is wrong by `off` seconds. */
class JumpingHost extends FakeHost {
  off = 0
  override now = () => (this.truth + this.off) * 1000
  get truth(): number {
    return this.monotonic() / 1000 + 1_600_000_000
  }
}

const verifierOn = (host: FakeHost, options: Partial<VerifierOptions> = {}): Verifier =>
  makeCreateVerifier(module, host)({ issuer: ISSUER, audience: AUDIENCE, jwks: issuer.jwks, ...options })

const expired = (error: unknown) => isTokenError(error, 'ERR_JWT_EXPIRED')

test('an expired token is refused although the clock was set back and a cache serves an old list', async () => {
  const host = new JumpingHost()
  const start = host.truth
  const verifier = verifierOn(host)
  const token = await issuer.token(start)
  verifier.load(await issuer.list({ iat: start, seq: 5 }))
  verifier.verify(token)

  host.off = -HOUR
  host.elapse(959_000)
  assert.equal(verifier.verify(token).freshness.age, 959)
  host.elapse(1_000)
  assert.throws(() => verifier.verify(token), expired)
  verifier.load(await issuer.list({ iat: start - 2400, seq: 6 }))
  assert.throws(() => verifier.verify(token), expired)
  assert.equal(verifier.status().asOf, start)
})

test('`currentDate` replaces only the host’s clock: a later time that a list proves wins', async () => {
  const host = new JumpingHost()
  const start = host.truth
  const verifier = verifierOn(host)
  verifier.load(await issuer.list({ iat: start, seq: 1 }))
  const age = (seconds: number) => verifier.status({ currentDate: new Date((start + seconds) * 1000) }).age
  host.elapse(100_000)
  assert.deepEqual([age(-HOUR), age(99), age(100), age(101), age(HOUR)], [100, 100, 100, 101, HOUR])

  const tomorrow = await issuer.list({ iat: start + 86_401 + 99, seq: 2 })
  const load = (seconds: number) => verifier.load(tomorrow, { currentDate: new Date((start + seconds) * 1000) })
  assert.throws(
    () => load(99),
    error => isTokenError(error, 'ERR_LIST_INVALID') && error.evidence['reason'] === 'future',
  )
  assert.equal(load(100).outcome, 'applied')
})

// Seen in the field: firebase/firebase-js-sdk#6032, workos/authkit-nextjs#470
test('the session’s `currentDate` corrects a fast clock; the list corrects a slow one', async () => {
  for (const off of [3 * HOUR, -3 * HOUR]) {
    const host = new JumpingHost()
    host.off = off
    const start = host.truth
    const browser = new FakeBrowser(host)
    const session = browser.tab()
    const access_token = await issuer.token(start)
    await session.login({ access_token, expires_in: LIFETIME, refresh_token: 'r1' })
    const verifier = verifierOn(host)
    verifier.load(await issuer.list({ iat: start, seq: 1 }))

    host.elapse(60_000)
    const { freshness } = verifier.verify(access_token, { currentDate: session.currentDate() })
    assert.equal(freshness.age, 60)
    if (off > 0) assert.throws(() => verifier.verify(access_token), expired)
    else assert.equal(verifier.verify(access_token).freshness.age, 60)
    session.close()
  }
})

test('the verifier’s time is the latest that the clock or any list proves, in any history', async () => {
  const draw = chance(1)
  for (let course = 0; course < 40; course++) {
    const host = new JumpingHost()
    const verifier = verifierOn(host)
    const taken: { iat: number; heard: number }[] = []
    for (let seq = 1; seq <= 12; seq++) {
      host.off = draw(-2 * HOUR, 2 * HOUR)
      host.elapse(draw(0, 600) * 1000)
      const iat = host.truth - draw(-60, HOUR)
      verifier.load(await issuer.list({ iat, seq }))
      taken.push({ iat, heard: host.truth })
      host.elapse(draw(0, 600) * 1000)
      const wall = draw(0, 1) ? host.now() / 1000 : host.truth + draw(-HOUR, HOUR)
      const now = Math.max(wall, ...taken.map(({ iat, heard }) => iat + host.truth - heard))
      const asOf = Math.max(...taken.map(({ iat }) => iat))
      const status = verifier.status({ currentDate: new Date(wall * 1000) })
      assert.deepEqual([status.asOf, status.age], [asOf, now - asOf])
    }
  }
})

/**
 * Returns a generator of random integers between two bounds, including the bounds. The integers are the same in every
 * run (mulberry32).
 */
function chance(seed: number): (from: number, to: number) => number {
  return (from, to) => {
    seed = (seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return from + (((mixed ^ (mixed >>> 14)) >>> 0) % (to - from + 1))
  }
}
