import assert from 'node:assert/strict'
import test from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { Code } from '../types/index.js'
import { createVerifier, isTokenError } from '../src/entrypoints/index.js'
import { bind } from '../src/entrypoints/slim.js'
import { AUDIENCE, ISSUER, TestIssuer } from './issuer.js'

const issuer = await TestIssuer.create()
const NOW = 1_800_000_000
const currentDate = new Date(NOW * 1000)
const rules = { issuer: ISSUER, audience: AUDIENCE, jwks: issuer.jwks }
const refuses = (call: () => unknown, code: Code, evidence: Record<string, unknown> = {}) =>
  assert.throws(call, error => {
    assert.ok(isTokenError(error, code), `${String(error)} instead of ${code}`)
    for (const [name, value] of Object.entries(evidence)) assert.deepEqual(error.evidence[name], value, name)
    return true
  })

async function ready(list: Parameters<TestIssuer['list']>[0] = { iat: NOW, seq: 1 }) {
  const verifier = createVerifier(rules)
  verifier.load(await issuer.list(list), { currentDate })
  return verifier
}

test('a token that jose signed in our profile is verified', async () => {
  const verifier = await ready()
  const token = await issuer.token(NOW, { scope: 'read', tenant: { id: 7 } })
  const { payload, protectedHeader, ...answer } = verifier.verify(token, { currentDate })
  assert.deepEqual(protectedHeader, { alg: 'EdDSA', typ: 'at+jwt', kid: issuer.kid })
  assert.equal(payload.sub, 'alice')
  assert.deepEqual(payload['tenant'], { id: 7 })
  assert.deepEqual(answer, {
    revocation: 'not_revoked',
    freshness: { asOf: NOW, age: 0, stale: false },
    outage: false,
  })
})

test('a token whose algorithm is named Ed25519 is accepted too', async () => {
  const verifier = await ready()
  const token = await issuer.token(NOW, {}, { alg: 'Ed25519', typ: 'application/at+jwt' })
  assert.equal(verifier.verify(token, { currentDate }).protectedHeader.alg, 'Ed25519')
})

test('each refusal has a code and evidence', async () => {
  const verifier = await ready({ iat: NOW, seq: 1, revoked: ['00000000000b0002', '00000000000a0003'] })
  const at = { currentDate }
  refuses(() => verifier.verify('nonsense', at), 'ERR_JWS_INVALID')
  refuses(() => verifier.verify('x'.repeat(8193), at), 'ERR_JWS_INVALID', { length: 8193, limit: 8192 })
  const token = await issuer.token(NOW)
  refuses(() => verifier.verify(token, { currentDate: new Date((NOW + 961) * 1000) }), 'ERR_JWT_EXPIRED', {
    expiresAt: NOW + 900,
    now: NOW + 961,
  })
  const [header, payload, signature] = token.split('.') as [string, string, string]
  const flipped = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`
  refuses(() => verifier.verify(`${header}.${payload}.${flipped}`, at), 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED')
  const group = await issuer.token(NOW, { gid: '00000000000a0003' })
  refuses(() => verifier.verify(group, at), 'ERR_JWT_REVOKED', { by: 'gid', handle: '00000000000a0003', asOf: NOW })
  const session = await issuer.token(NOW, { sid: '00000000000b0002' })
  refuses(() => verifier.verify(session, at), 'ERR_JWT_REVOKED', { by: 'sid' })
  const stranger = await (await TestIssuer.create()).token(NOW)
  refuses(() => verifier.verify(stranger, at), 'ERR_JWKS_NO_MATCHING_KEY')
})

test('a message never contains the token', async () => {
  const verifier = createVerifier(rules)
  const token = await issuer.token(NOW)
  try {
    verifier.verify(token, { currentDate })
    assert.fail('verified without a list')
  } catch (error) {
    assert.ok(isTokenError(error, 'ERR_LIST_MISSING'))
    const said = JSON.stringify([error.message, error.stack, error.evidence])
    for (const part of token.split('.')) assert.ok(!said.includes(part))
  }
})

test('without a list, `onMissing: allow` reports the revocation as unknown', async () => {
  const verifier = createVerifier({ ...rules, onMissing: 'allow' })
  const { revocation, freshness } = verifier.verify(await issuer.token(NOW), { currentDate })
  assert.equal(revocation, 'unknown')
  assert.deepEqual(freshness, { asOf: null, age: null, stale: true })
})

test('a value that is not a string never reaches the module', async () => {
  const verifier = await ready()
  for (const value of [undefined, null, 7, {}, [], new String('x'), Symbol('x')] as never[]) {
    refuses(() => verifier.verify(value), 'ERR_JWS_INVALID')
    refuses(() => verifier.load(value), 'ERR_LIST_INVALID')
  }
  for (const date of [new Date(NaN), new Date(-1), 7, '2027'] as never[]) {
    refuses(() => verifier.status({ currentDate: date }), 'ERR_OPTIONS_INVALID', { option: 'currentDate' })
  }
  assert.equal(verifier.status({ currentDate }).sequence, 1)
})

test('a claim named `__proto__` is an ordinary claim', async () => {
  const verifier = await ready()
  const token = await issuer.token(NOW, JSON.parse('{"__proto__":{"admin":true}}') as Record<string, unknown>)
  const { payload } = verifier.verify(token, { currentDate })
  assert.equal((payload as { admin?: unknown }).admin, undefined)
  assert.equal(Object.getPrototypeOf(payload), Object.prototype)
  assert.deepEqual(Object.getOwnPropertyDescriptor(payload, '__proto__')?.value, { admin: true })
})

test('a delta is applied once, and a rollback or a gap is refused', async () => {
  const verifier = await ready({ iat: NOW, seq: 5, revoked: ['00000000000b0001'] })
  const delta = await issuer.list({ iat: NOW + 1, seq: 7, since: 5, revoked: ['00000000000b0002'] })
  assert.deepEqual(verifier.load(delta, { currentDate }), {
    epoch: '00000000000000ab',
    sequence: 7,
    since: 5,
    entries: 2,
    outcome: 'applied',
  })
  assert.equal(verifier.load(delta, { currentDate }).outcome, 'unchanged')
  const older = await issuer.list({ iat: NOW, seq: 6 })
  refuses(() => verifier.load(older, { currentDate }), 'ERR_LIST_ROLLBACK', { heldSequence: 7, offeredSequence: 6 })
  const later = await issuer.list({ iat: NOW + 2, seq: 9, since: 8 })
  refuses(() => verifier.load(later, { currentDate }), 'ERR_LIST_GAP', { since: 8 })
  assert.deepEqual(verifier.status({ currentDate: new Date((NOW + 60) * 1000) }), {
    epoch: '00000000000000ab',
    sequence: 7,
    entries: 2,
    asOf: NOW + 1,
    age: 59,
    stale: true,
    ttl: 10,
    keys: [issuer.kid],
  })
})

test('methods work without their verifier as `this`', async () => {
  const { verify } = await ready()
  assert.equal(verify(await issuer.token(NOW), { currentDate }).payload.sub, 'alice')
})

test('a bad key set is refused', () => {
  refuses(
    () => createVerifier({ ...rules, jwks: { keys: [{ ...issuer.jwks.keys[0], d: 'secret' }] } }),
    'ERR_JWKS_INVALID',
  )
})

test('bytes that are not a module cause another error than a bad option', () => {
  refuses(() => bind(new Uint8Array([1, 2, 3])).createVerifier(rules), 'ERR_WASM_UNAVAILABLE')
  refuses(
    () =>
      bind(() => {
        throw new Error('not found')
      }).createVerifier(rules),
    'ERR_WASM_UNAVAILABLE',
  )
})

test('the exports are those that the hand-written types declare', async () => {
  const index: typeof import('../types/index.js') = await import('../src/entrypoints/index.js')
  const slim: typeof import('../types/slim.js') = await import('../src/entrypoints/slim.js')
  assert.deepEqual(Object.keys(index).sort(), [
    'TokenError',
    'codes',
    'connectVerifier',
    'createVerifier',
    'isTokenError',
    'isTokensFault',
  ])
  assert.deepEqual(Object.keys(slim).sort(), ['TokenError', 'bind', 'codes', 'isTokenError', 'isTokensFault'])
  const express: typeof import('../types/express.js') = await import('../src/adapters/express.js')
  const fastify: typeof import('../types/fastify.js') = await import('../src/adapters/fastify.js')
  const hono: typeof import('../types/hono.js') = await import('../src/adapters/hono.js')
  for (const adapter of [express, fastify, hono])
    assert.deepEqual(Object.keys(adapter).sort(), ['authenticate', 'requireScope'])
  const companions: typeof import('../types/companions.js') = await import('../src/companions.js')
  assert.deepEqual(Object.keys(companions).sort(), ['isRevoked', 'trusted'])
  const testing: typeof import('../types/testing.js') = await import('../src/testing/index.js')
  assert.deepEqual(Object.keys(testing), ['createTestIssuer'])
})

test('assertNotRevoked checks claims that another library verified', async () => {
  const verifier = await ready()
  const { payload, protectedHeader } = await jwtVerify(
    await issuer.token(NOW),
    createLocalJWKSet(issuer.jwks as never),
    {
      currentDate,
    },
  )
  const asked = () => verifier.assertNotRevoked(payload, { protectedHeader, currentDate })
  assert.deepEqual(asked(), { revocation: 'not_revoked', freshness: { asOf: NOW, age: 0, stale: false } })

  const kick = await issuer.list({ iat: NOW + 1, seq: 2, since: 1, revoked: [String(payload['gid'])] })
  verifier.load(kick, { currentDate })
  refuses(asked, 'ERR_JWT_REVOKED', { by: 'gid', handle: payload['gid'], asOf: NOW + 1 })
})

test('malformed claims are refused, and the evidence names the claim', async () => {
  const verifier = await ready()
  const good = { iss: ISSUER, iat: NOW, gid: '00000000000a0001', sid: '00000000000a0002' }
  const at = { currentDate }
  const claim = (name: string, reason: string) => ['ERR_JWT_CLAIM_VALIDATION_FAILED', { claim: name, reason }] as const
  for (const payload of [null, undefined, 7, 'alice', []] as never[])
    refuses(() => verifier.assertNotRevoked(payload, at), ...claim('iss', 'missing'))
  for (const value of [null, 10n, {}, [], () => {}, Symbol('gid'), 7, '1', 'A'.repeat(16)])
    refuses(() => verifier.assertNotRevoked({ ...good, gid: value }, at), ...claim('gid', 'invalid'))
  for (const value of ['1', 1.5, -1, NaN, 2 ** 53])
    refuses(() => verifier.assertNotRevoked({ ...good, iat: value }, at), ...claim('iat', 'invalid'))
  refuses(
    () => verifier.assertNotRevoked({ ...good, iss: 'https://other.example' }, at),
    ...claim('iss', 'check_failed'),
  )
  refuses(
    () => verifier.assertNotRevoked(good, { protectedHeader: { kid: 'k'.repeat(43) }, ...at }),
    'ERR_JWKS_NO_MATCHING_KEY',
  )
  const { gid, ...grouped } = good
  Object.assign(Object.prototype, { gid })
  try {
    refuses(() => verifier.assertNotRevoked(grouped, at), ...claim('gid', 'missing'))
  } finally {
    delete (Object.prototype as Partial<typeof good>).gid
  }
  refuses(() => createVerifier(rules).assertNotRevoked(good, at), 'ERR_LIST_MISSING')
  assert.equal(verifier.assertNotRevoked(good, at).revocation, 'not_revoked')
})

test('the answer is right if a text makes the memory grow', async () => {
  const verifier = createVerifier({ ...rules, issuer: `https://${'i'.repeat(3_000_000)}.example`, onMissing: 'allow' })
  const payload = {
    iss: `https://${'i'.repeat(3_000_000)}.example`,
    iat: NOW,
    gid: '00000000000a0001',
    sid: '00000000000a0002',
  }
  for (let round = 0; round < 3; round++) {
    const { revocation, freshness } = verifier.assertNotRevoked(payload, { currentDate })
    assert.deepEqual([revocation, freshness.asOf], ['unknown', null])
  }
})
