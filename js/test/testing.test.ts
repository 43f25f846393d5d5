import assert from 'node:assert/strict'
import test from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { connectVerifier, createVerifier, isTokenError } from '../src/entrypoints/index.js'
import { createTestIssuer } from '../src/testing/index.js'
import type { AccessTokenClaims, Code, Verifier } from '../types/index.js'

const refused = (verifier: Verifier, token: string, code: Code) =>
  assert.throws(
    () => verifier.verify(token),
    error => isTokenError(error, code),
  )

async function world() {
  const issuer = await createTestIssuer()
  const verifier = createVerifier(issuer.rules)
  const load = async () => verifier.load(await issuer.list())
  await load()
  return { issuer, verifier, load }
}

test('this verifier and jose accept the test issuer’s tokens', async () => {
  const { issuer, verifier } = await world()
  const token = await issuer.token({ sub: 'bob', scope: 'read write', tenant: 'acme' })
  const { payload, revocation } = verifier.verify(token)
  assert.deepEqual(
    [payload.sub, payload.scope, payload['tenant'], revocation],
    ['bob', 'read write', 'acme', 'not_revoked'],
  )
  const rules = { issuer: 'https://issuer.test', audience: 'api', typ: 'at+jwt' }
  const jwks = createLocalJWKSet(issuer.rules.jwks as never)
  assert.deepEqual((await jwtVerify(token, jwks, rules)).payload, { ...payload })
})

test('a kick ends the subject’s existing tokens, but not later ones, nor those of others', async () => {
  const { issuer, verifier, load } = await world()
  const [one, two, bob] = [await issuer.token(), await issuer.token(), await issuer.token({ sub: 'bob' })]
  await issuer.revoke('alice')
  verifier.verify(one)
  assert.equal((await load()).entries, 1)
  refused(verifier, one, 'ERR_JWT_REVOKED')
  refused(verifier, two, 'ERR_JWT_REVOKED')
  verifier.verify(bob)
  verifier.verify(await issuer.token())
})

test('endSession, cutOff and retireKey each refuse the affected tokens', async () => {
  const { issuer, verifier, load } = await world()
  const [laptop, phone] = [await issuer.token(), await issuer.token()]
  await issuer.endSession(laptop)
  await load()
  refused(verifier, laptop, 'ERR_JWT_REVOKED')
  verifier.verify(phone)

  await issuer.cutOff()
  await load()
  refused(verifier, phone, 'ERR_JWT_REVOKED')
  const later = await issuer.token()
  verifier.verify(later)

  for (let round = 0; round < 3; round++) {
    const before = await issuer.token()
    await issuer.retireKey()
    await load()
    refused(verifier, before, 'ERR_JWKS_NO_MATCHING_KEY')
    verifier.verify(await issuer.token())
  }
})

test('claims make bad tokens and old lists', async () => {
  const { issuer, verifier } = await world()
  const past = Math.floor(Date.now() / 1000) - 1000
  const bad: [Partial<AccessTokenClaims>, Code][] = [
    [{ iat: past }, 'ERR_JWT_EXPIRED'],
    [{ aud: 'other' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
    [{ sid: undefined } as never, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
  ]
  for (const [claims, code] of bad) refused(verifier, await issuer.token(claims), code)
  refused(verifier, await (await createTestIssuer()).token(), 'ERR_JWKS_NO_MATCHING_KEY')

  const strict = createVerifier({ ...issuer.rules, onStale: 'deny' })
  strict.load(await issuer.list({ iat: past }))
  refused(strict, await issuer.token(), 'ERR_LIST_STALE')
  refused(createVerifier(issuer.rules), await issuer.token(), 'ERR_LIST_MISSING')
})

test('a bad token does not affect later tokens and lists', async () => {
  const { issuer, verifier, load } = await world()
  for (const bad of [
    { exp: 'soon' },
    { exp: 2 ** 53 },
    { iat: 'now' },
    { iat: 0, exp: 2e9 },
    { exp: Date.now() / 1000 + 9e3 },
  ])
    await issuer.token(bad as never)
  for (const sid of [undefined, null, 7, 'x', '0'.repeat(16), '1'.repeat(17)])
    await assert.rejects(issuer.endSession(await issuer.token({ sid } as never)), error =>
      isTokenError(error, 'ERR_OPTIONS_INVALID'),
    )
  await issuer.revoke('bob')
  await load()
  verifier.verify(await issuer.token())
})

test('the list keeps revocations for as long as a long-lived token lives', async () => {
  const { issuer, verifier, load } = await world()
  const iat = Math.floor(Date.now() / 1000) - 80_000
  const token = await issuer.token({ iat, exp: iat + 86_400 })
  refused(verifier, token, 'ERR_JWT_EXPIRED')
  await issuer.revoke('bob')
  await load()
  verifier.verify(token)
})

test('connected and lazy verifiers follow the test issuer without a network', async () => {
  const issuer = await createTestIssuer({ issuer: 'https://id.example/tenant', audience: 'shop' })
  const verifier = await connectVerifier({ ...issuer.rules, fetch: issuer.fetch })
  const token = await issuer.token()
  assert.equal(verifier.verify(token).payload.aud, 'shop')
  const changed = new Promise(resolve => verifier.on('change', resolve))
  await issuer.revoke('alice')
  await changed
  refused(verifier, token, 'ERR_JWT_REVOKED')
  verifier.close()

  const lazy = connectVerifier.lazy({ issuer: 'https://id.example/tenant', audience: 'shop', fetch: issuer.fetch })
  await lazy.refresh()
  refused(lazy, token, 'ERR_JWT_REVOKED')
  assert.equal((await issuer.fetch('https://elsewhere.example')).status, 404)
})

test('createTestIssuer refuses an option that is unknown or has an invalid value', async () => {
  for (const options of [{ isuer: 'x' }, { issuer: 'no URL' }, { audience: 7 }] as never[])
    await assert.rejects(createTestIssuer(options), error => isTokenError(error, 'ERR_OPTIONS_INVALID'))
})
