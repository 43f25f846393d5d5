// jose, an independent implementation, accepts our tokens, and our verifier accepts its tokens.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createVerifier, importDevelopmentPackage, isTokenError, issuerOf, openSession } from './support.mjs'

const jose = await importDevelopmentPackage('jose')
const options = { timeout: 60_000 }

async function metadataOf(issuer) {
  const answer = await fetch(`${issuer.url}/.well-known/oauth-authorization-server`)
  return answer.json()
}

test('jose accepts our access tokens with our key set', options, async story => {
  const issuer = await issuerOf(story)
  const keys = jose.createRemoteJWKSet(new URL((await metadataOf(issuer)).jwks_uri), { cooldownDuration: 0 })
  const rules = {
    issuer: issuer.url,
    audience: 'api',
    typ: 'at+jwt',
    algorithms: ['EdDSA'],
    requiredClaims: ['sub', 'client_id', 'jti', 'exp', 'iat', 'gid', 'sid'],
  }
  const session = await issuer.admin('/sessions', { sub: 'alice', scope: 'read', claims: { tenant: 'acme' } })

  const { payload, protectedHeader } = await jose.jwtVerify(session.access_token, keys, rules)

  assert.deepEqual([payload.sub, payload.scope, payload.tenant], ['alice', 'read', 'acme'])
  assert.deepEqual(Object.keys(protectedHeader).sort(), ['alg', 'kid', 'typ'])
  await assert.rejects(jose.jwtVerify(session.access_token, keys, { ...rules, audience: 'other' }), {
    code: 'ERR_JWT_CLAIM_VALIDATION_FAILED',
  })

  // When the active key is retired, the reserve key signs the next tokens.
  await issuer.admin('/keys/retire', { kid: protectedHeader.kid })
  const refreshed = await issuer.refresh(session.refresh_token)
  const renewed = await jose.jwtVerify(refreshed.access_token, keys, rules)
  assert.notEqual(renewed.protectedHeader.kid, protectedHeader.kid)
})

test('our key set conforms to RFC 7638 and RFC 8037', options, async story => {
  const issuer = await issuerOf(story)
  const { keys } = await (await fetch((await metadataOf(issuer)).jwks_uri)).json()
  assert.equal(keys.length, 2)
  for (const key of keys) {
    assert.equal(key.kid, await jose.calculateJwkThumbprint(key))
    assert.deepEqual([key.kty, key.crv, key.alg, key.use, key.d], ['OKP', 'Ed25519', 'EdDSA', 'sig', undefined])
  }
})

test('jose accepts our revocation list as a JWT, but not as an access token', options, async story => {
  const issuer = await issuerOf(story)
  const metadata = await metadataOf(issuer)
  const keys = jose.createRemoteJWKSet(new URL(metadata.jwks_uri))
  const list = await (await fetch(metadata.revocation_list_uri)).text()
  const { payload } = await jose.jwtVerify(list, keys, { issuer: issuer.url, typ: 'revocation-list+jwt' })
  assert.equal(payload.revoked, '')
  await assert.rejects(jose.jwtVerify(list, keys, { typ: 'at+jwt' }), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' })
})

test('the verifier accepts tokens that jose signed in this profile', options, async () => {
  const issuer = 'https://issuer.example'
  const { publicKey, privateKey } = await jose.generateKeyPair('Ed25519')
  const key = await jose.exportJWK(publicKey)
  key.kid = await jose.calculateJwkThumbprint(key)
  const verifier = createVerifier({ issuer, audience: 'api', jwks: { keys: [key] }, onMissing: 'allow' })
  const token = (header, claims = {}) =>
    new jose.SignJWT({ client_id: 'web', gid: '00000000000a0001', sid: '00000000000a0002', ...claims })
      .setProtectedHeader({ typ: 'at+jwt', kid: key.kid, ...header })
      .setIssuer(issuer)
      .setAudience(['api', 'other'])
      .setSubject('alice')
      .setJti('1')
      .setIssuedAt()
      .setExpirationTime('15m')
      .sign(privateKey)

  for (const header of [{ alg: 'EdDSA' }, { alg: 'Ed25519' }, { alg: 'EdDSA', typ: 'application/at+jwt' }]) {
    const { payload, revocation } = verifier.verify(await token(header))
    assert.deepEqual([payload.sub, payload.aud, revocation], ['alice', ['api', 'other'], 'unknown'])
  }
  for (const [header, claims, code] of [
    [{ alg: 'EdDSA', typ: 'JWT' }, {}, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
    [{ alg: 'EdDSA', jku: 'https://mallory.example' }, {}, 'ERR_JWS_INVALID'],
    [{ alg: 'EdDSA' }, { sid: '0' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
    [{ alg: 'EdDSA' }, { nbf: Math.floor(Date.now() / 1000) + 3600 }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
  ]) {
    const refused = await token(header, claims)
    assert.throws(
      () => verifier.verify(refused),
      error => isTokenError(error, code),
    )
  }
})

test('jose refuses the same tokens as the verifier, for the same reason', options, async story => {
  const issuer = await issuerOf(story)
  const jwks = await (await fetch((await metadataOf(issuer)).jwks_uri)).json()
  const verifier = createVerifier({ issuer: issuer.url, audience: 'api', jwks, onMissing: 'allow' })
  const { access_token: token } = await openSession(issuer, 'alice')
  const [header, payload, signature] = token.split('.')
  const flipped = text => (text[0] === 'A' ? 'B' : 'A') + text.slice(1)
  for (const broken of [
    `${header}.${payload}.${flipped(signature)}`,
    `${header}.${payload}`,
    token.replace('.', '..'),
  ]) {
    const reason = await jose.jwtVerify(broken, jose.createLocalJWKSet(jwks)).catch(error => error.code)
    assert.throws(
      () => verifier.verify(broken),
      error => isTokenError(error, reason),
    )
  }
  const later = new Date(Date.now() + 3_600_000)
  await assert.rejects(jose.jwtVerify(token, jose.createLocalJWKSet(jwks), { currentDate: later }), {
    code: 'ERR_JWT_EXPIRED',
  })
  assert.throws(
    () => verifier.verify(token, { currentDate: later }),
    error => isTokenError(error, 'ERR_JWT_EXPIRED'),
  )
})
