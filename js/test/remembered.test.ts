import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import type { AtTime, Verified, VerifierOptions } from '../types/index.js'
import { makeCreateVerifier } from '../src/api.js'
import { codes, isTokenError } from '../src/errors.js'
import type { Host } from '../src/host.js'
import { lazily, type Instantiate } from '../src/wasm.js'
import { AUDIENCE, ISSUER, TestIssuer } from './issuer.js'

const issuer = await TestIssuer.create()
const NOW = 1_800_000_000
const at = (seconds: number): AtTime => ({ currentDate: new Date(seconds * 1000) })
const module = lazily(() => readFileSync(new URL('../wasm/verifier.wasm', import.meta.url)))
/** The monotonic clock does not have to run, because no list in these tests is later than `currentDate`. */
const host: Host = { now: () => NOW * 1000, monotonic: () => 5, random: () => 0, after: () => () => {} }

/**
 * Returns a verifier with a counter. `count.signatures` is the number of tokens that the verifier passed to the module.
 */
function counting(options: Partial<VerifierOptions> = {}) {
  const count = { signatures: 0 }
  const instantiate: Instantiate = given => {
    const wasm = module(given)
    const verify = wasm.verify.bind(wasm)
    wasm.verify = (...call) => {
      count.signatures++
      return verify(...call)
    }
    return wasm
  }
  const verifier = makeCreateVerifier(
    instantiate,
    host,
  )({ issuer: ISSUER, audience: AUDIENCE, jwks: issuer.jwks, ...options })
  return Object.assign(verifier, { count })
}

async function ready(options?: Partial<VerifierOptions>) {
  const verifier = counting(options)
  verifier.load(await issuer.list({ iat: NOW, seq: 1 }), at(NOW))
  return verifier
}

const tokens = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, index) => issuer.token(NOW, { number: index })))

const refusal = (call: () => unknown) => {
  try {
    call()
  } catch (error) {
    if (!isTokenError(error)) throw error
    return { code: error.code, message: error.message, evidence: error.evidence }
  }
  return assert.fail('accepted')
}
const code = (call: () => unknown) => refusal(call).code

test('a remembered token gets the same answer without a signature check', async () => {
  const verifier = await ready()
  const token = await issuer.token(NOW, { scope: 'read', tenant: { id: 7, tags: ['a', { b: null }] } })
  const first = verifier.verify(token, at(NOW))
  assert.equal(verifier.count.signatures, 1)
  for (const seconds of [NOW, NOW + 1, NOW + 31]) {
    const copy = Buffer.from(token).toString('latin1')
    const again = verifier.verify(copy, at(seconds))
    const age = seconds - NOW
    assert.deepEqual(again, { ...first, freshness: { asOf: NOW, age, stale: age > 30 } })
    assert.deepEqual(Object.keys(again), Object.keys(first))
  }
  assert.equal(verifier.count.signatures, 1)
})

test('a remembered token gets the same answer if there is no list', async () => {
  const verifier = counting({ onMissing: 'allow' })
  const token = await issuer.token(NOW)
  assert.deepEqual(verifier.verify(token, at(NOW)), verifier.verify(token, at(NOW)))
  assert.deepEqual(verifier.verify(token, at(NOW)).freshness, { asOf: null, age: null, stale: true })
  assert.equal(verifier.verify(token, at(NOW)).revocation, 'unknown')
  assert.equal(verifier.count.signatures, 1)
  verifier.load(await issuer.list({ iat: NOW, seq: 1, revoked: ['00000000000a0001'] }), at(NOW))
  assert.equal(
    code(() => verifier.verify(token, at(NOW))),
    codes.ERR_JWT_REVOKED,
  )
})

test('the answer for a remembered token also reports an outage', async () => {
  const verifier = await ready({ outageGrace: 600 })
  const token = await issuer.token(NOW)
  assert.equal(verifier.verify(token, at(NOW)).outage, false)
  assert.equal(verifier.verify(token, at(NOW + 959)).outage, false)
  assert.equal(verifier.verify(token, at(NOW + 960)).outage, true)
  assert.equal(verifier.count.signatures, 1)
  assert.equal(
    code(() => verifier.verify(token, at(NOW + 1501))),
    codes.ERR_JWT_EXPIRED,
  )
})

test('no caller can change the answer of another caller', async () => {
  const verifier = await ready()
  const token = await issuer.token(NOW, JSON.parse('{"roles":["user"],"__proto__":{"deep":[{}]}}') as object as never)
  const expected = structuredClone(verifier.verify(token, at(NOW)))
  for (const { payload, protectedHeader, freshness } of [1, 2, 3].map(() => verifier.verify(token, at(NOW)))) {
    const claims = payload as Record<string, any>
    const attempts: (() => unknown)[] = [
      () => (claims['sub'] = 'mallory'),
      () => (claims['admin'] = true),
      () => delete claims['exp'],
      () => claims['roles'].push('admin'),
      () => (Object.getOwnPropertyDescriptor(claims, '__proto__')!.value.deep[0].admin = true),
      () => ((protectedHeader as { kid: string }).kid = 'other'),
      () => Object.setPrototypeOf(claims, { admin: true }),
      () => Object.defineProperty(claims, 'sub', { value: 'mallory' }),
    ]
    for (const attempt of attempts) assert.throws(attempt, TypeError)
    // The caller owns the outer object and `freshness`, and is allowed to change both.
    Object.assign(freshness, { stale: true, asOf: 0 })
  }
  assert.deepEqual(verifier.verify(token, at(NOW)), expected)
  const outer = verifier.verify(token, at(NOW)) as { payload: unknown }
  outer.payload = { sub: 'mallory' }
  assert.deepEqual(verifier.verify(token, at(NOW)), expected)
  assert.equal(verifier.count.signatures, 1)
})

test('the whole token decides: another header or payload under a known signature is refused', async () => {
  const verifier = await ready()
  const [one, other] = (await tokens(2)) as [string, string]
  verifier.verify(one, at(NOW))
  verifier.verify(other, at(NOW))
  const [header, payload, signature] = one.split('.') as [string, string, string]
  const forged = [
    `${header}.${other.split('.')[1]}.${signature}`,
    `${header}.${Buffer.from('{"sub":"admin"}').toString('base64url')}.${signature}`,
    ...[0, 20, header.length + 5, header.length + payload.length].map(
      index => `${one.slice(0, index)}${one[index] === 'A' ? 'B' : 'A'}${one.slice(index + 1)}`,
    ),
    ...[1, 40, 60].map(
      back => `${one.slice(0, -back)}${one.at(-back) === 'A' ? 'Q' : 'A'}${one.slice(1 - back || one.length)}`,
    ),
    `${one} `,
    ` ${one}`,
    `${one}\0`,
    one.slice(1),
    one.slice(0, -1),
  ]
  for (const text of forged) {
    assert.ok(code(() => verifier.verify(text, at(NOW))) !== undefined, text)
  }
  assert.equal(verifier.count.signatures, 2 + forged.length)
})

test('a token with non-ASCII characters is never taken for another token', async () => {
  const verifier = await ready()
  const token = await issuer.token(NOW)
  verifier.verify(token, at(NOW))
  for (const text of [
    `${token}é`,
    `${token}\ud800`,
    `\ufeff${token}`,
    token.replace('e', '\u0165'),
    `${token}\u{1f600}`,
  ]) {
    assert.equal(
      code(() => verifier.verify(text, at(NOW))),
      codes.ERR_JWS_INVALID,
    )
  }
  // This token fits the buffer exactly. If the verifier cut off the end of a longer token, the longer token would be
  // mistaken for this token.
  const length = await lengthOf(0)
  const longest = await issuer.token(NOW, { pad: 'x'.repeat(Math.floor(((8191 - length) * 3) / 4)) })
  assert.ok(longest.length > 8188 && longest.length < 8192, String(longest.length))
  verifier.verify(longest, at(NOW))
  const { signatures } = verifier.count
  verifier.verify(longest, at(NOW))
  assert.equal(verifier.count.signatures, signatures, 'remembered')
  for (let more = 1; longest.length + more <= 8192; more++) {
    assert.equal(
      code(() => verifier.verify(longest + '\u20ac'.repeat(more), at(NOW))),
      codes.ERR_JWS_INVALID,
    )
  }
})

const lengthOf = async (pad: number) => (await issuer.token(NOW, { pad: 'x'.repeat(pad) })).length

test('a refusal has the same message and evidence as without a cache', async () => {
  const other = await TestIssuer.create()
  const steps = [
    ['expired', at(NOW + 960), undefined],
    ['its session', at(NOW + 2), await issuer.list({ iat: NOW + 1, seq: 2, revoked: ['00000000000a0002'] })],
    ['its group', at(NOW + 2), await issuer.list({ iat: NOW + 1, seq: 2, since: 1, revoked: ['00000000000a0001'] })],
    ['cut off', at(NOW + 2), await issuer.list({ iat: NOW + 1, seq: 2, since: 1, cutoff: NOW + 1 })],
    ['its key', at(NOW + 2), await issuer.list({ iat: NOW + 1, seq: 2, jwks: other.jwks })],
    ['retain', at(NOW + 20), await issuer.list({ iat: NOW + 20, seq: 2, since: 1, retain: 19 })],
    ['stale', at(NOW + 31), undefined],
  ] as const
  const token = await issuer.token(NOW)
  for (const [what, time, list] of steps) {
    const [remembering, plain] = [await ready({ onStale: 'deny' }), await ready({ onStale: 'deny', cacheSize: 0 })]
    const [one, two] = [remembering, plain].map(verifier => {
      verifier.verify(token, at(NOW))
      if (list !== undefined) verifier.load(list, time)
      return refusal(() => verifier.verify(token, time))
    })
    assert.deepEqual(one, two, what)
    assert.deepEqual(
      refusal(() => remembering.verify(token, time)),
      two,
      `${what}, asked again`,
    )
  }
})

test('a remembered token expires at the second of its `exp`', async () => {
  const verifier = await ready({ maxStaleness: 5000 })
  const token = await issuer.token(NOW)
  verifier.verify(token, at(NOW))
  verifier.verify(token, at(NOW + 959))
  assert.equal(verifier.count.signatures, 1)
  assert.equal(
    code(() => verifier.verify(token, at(NOW + 960))),
    codes.ERR_JWT_EXPIRED,
  )
  // The next call uses an earlier time than the previous call. So the verifier verifies the token like a new token.
  assert.equal(verifier.verify(token, at(NOW)).payload.sub, 'alice')
})

test('after a change of the list each token is looked up again, without a signature check', async () => {
  const verifier = await ready()
  const live = await tokens(20)
  const kicked = await issuer.token(NOW, { sid: '00000000000b0007' })
  for (const token of [...live, kicked]) verifier.verify(token, at(NOW))
  verifier.load(await issuer.list({ iat: NOW + 1, seq: 2, since: 1, revoked: ['00000000000b0007'] }), at(NOW + 1))
  for (const token of live) assert.equal(verifier.verify(token, at(NOW + 1)).freshness.asOf, NOW + 1)
  assert.equal(verifier.count.signatures, 21)
  assert.equal(
    code(() => verifier.verify(kicked, at(NOW + 1))),
    codes.ERR_JWT_REVOKED,
  )
})

test('a list that is refused changes nothing', async () => {
  const verifier = await ready()
  const token = await issuer.token(NOW)
  verifier.verify(token, at(NOW))
  const foreign = await (await TestIssuer.create()).list({ iat: NOW, seq: 5, revoked: ['00000000000a0002'] })
  refusal(() => verifier.load(foreign, at(NOW)))
  verifier.verify(token, at(NOW))
  assert.equal(verifier.count.signatures, 1)
})

test('invalid tokens are not remembered, and do not displace remembered ones', async () => {
  const verifier = await ready({ cacheSize: 4 })
  const live = await tokens(4)
  for (const token of live) verifier.verify(token, at(NOW))
  for (let number = 0; number < 500; number++) {
    const token = live[number % 4]!
    refusal(() => verifier.verify(`${token.slice(0, -50)}${String(number).padStart(50, 'A')}`, at(NOW)))
    refusal(() => verifier.verify(`${'A'.repeat(number)}${token.slice(-90)}`, at(NOW)))
  }
  const { signatures } = verifier.count
  for (const token of live) verifier.verify(token, at(NOW))
  assert.equal(verifier.count.signatures, signatures)
})

test('at most `cacheSize` tokens are remembered', async () => {
  const verifier = await ready({ cacheSize: 8 })
  const live = await tokens(40)
  const seen = () => {
    const before = verifier.count.signatures
    for (const token of live) verifier.verify(token, at(NOW))
    return live.length - (verifier.count.signatures - before)
  }
  assert.equal(seen(), 0)
  for (const round of [1, 2, 3]) assert.ok(seen() <= 8, `round ${round}`)
  // `favourite` is used again after every other token, so `favourite` is not removed.
  const [favourite, ...flood] = live as [string, ...string[]]
  verifier.verify(favourite, at(NOW))
  const before = verifier.count.signatures
  for (const token of flood) {
    verifier.verify(token, at(NOW))
    verifier.verify(favourite, at(NOW))
  }
  assert.equal(verifier.count.signatures - before, flood.length)
})

test('each token gets its own answer while slots are reused', async () => {
  const verifier = await ready({ cacheSize: 5 })
  const live = await tokens(24)
  for (let step = 0; step < 600; step++) {
    const number = ((step * step + 3 * step) % 24) >> (step % 3)
    const { payload }: Verified = verifier.verify(live[number]!, at(NOW))
    assert.equal(payload['number'], number)
  }
  assert.ok(verifier.count.signatures < 600)
})

test('`cacheSize: 0` remembers nothing', async () => {
  const verifier = await ready({ cacheSize: 0 })
  const token = await issuer.token(NOW)
  const [one, two] = [verifier.verify(token, at(NOW)), verifier.verify(token, at(NOW))]
  assert.equal(verifier.count.signatures, 2)
  assert.deepEqual(one, two)
  assert.notEqual(one.payload, two.payload)
  assert.ok(Object.isFrozen(one.payload) && Object.isFrozen(one.protectedHeader))
})

test('the inbox still works after the memory has grown', async () => {
  const verifier = await ready()
  const token = await issuer.token(NOW)
  verifier.verify(token, at(NOW))
  const many = Array.from({ length: 60_000 }, (_, index) =>
    (0x10_0000_0000 + 0x3_0000 * index).toString(16).padStart(16, '0'),
  )
  for (const seq of [2, 3, 4]) verifier.load(await issuer.list({ iat: NOW, seq, revoked: many }), at(NOW))
  verifier.verify(token, at(NOW))
  assert.equal(verifier.count.signatures, 1)
})

test('a token that is a slice or a concatenation of strings is found as well', async () => {
  const verifier = await ready()
  const token = await issuer.token(NOW)
  verifier.verify(`Bearer ${token}`.slice(7), at(NOW))
  const pieces = token.split('.')
  verifier.verify(`${pieces[0]}.${pieces[1]}.${pieces[2]}`, at(NOW))
  assert.equal(verifier.count.signatures, 1)
})
