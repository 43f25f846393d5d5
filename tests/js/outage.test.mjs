// The outage grace in Node, with an issuer that really goes away.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { after, isTokenError, issuerOf, openSession, refusal, verifierOf } from './support.mjs'

/** Seconds. Long enough to kill the issuer while the token is good, also on a slow machine. */
const ACCESS_TTL = '5'
const GRACE = 3600

test('the business runs on while the issuer is down, and not for the kicked', { timeout: 60_000 }, async story => {
  const issuer = await issuerOf(story, { args: ['--access-ttl-secs', ACCESS_TTL, '--leeway-secs', '0'] })
  const verifier = await verifierOf(story, issuer.url, { outageGrace: GRACE })
  const strict = await verifierOf(story, issuer.url)
  const mallory = await openSession(issuer, 'mallory')
  await issuer.admin('/subjects/mallory/revoke')
  await refusal(verifier, mallory.access_token, 'ERR_JWT_REVOKED')
  const { access_token } = await openSession(issuer, 'alice')
  const { payload, outage } = verifier.verify(access_token)
  assert.equal(outage, false)

  await issuer.stop('SIGKILL')

  const answer = await after(verifier, 'error', () => {
    const answer = verifier.verify(access_token)
    return answer.outage && answer
  })
  const { age, asOf } = answer.freshness
  assert.ok(asOf < payload.exp && age > 3 && asOf + age >= payload.exp, JSON.stringify(answer.freshness))
  assert.throws(
    () => strict.verify(access_token),
    error => isTokenError(error, 'ERR_JWT_EXPIRED'),
  )
  assert.throws(
    () => verifier.verify(mallory.access_token),
    error => isTokenError(error, 'ERR_JWT_REVOKED'),
  )
  const at = seconds => ({ currentDate: new Date(seconds * 1000) })
  assert.equal(verifier.verify(access_token, at(payload.exp + GRACE)).outage, true)
  assert.throws(
    () => verifier.verify(access_token, at(payload.exp + GRACE + 1)),
    error => isTokenError(error, 'ERR_JWT_EXPIRED'),
  )

  await issuer.start()
  await openSession(issuer, 'bob')
  await issuer.admin('/subjects/bob/revoke')
  await refusal(verifier, access_token, 'ERR_JWT_EXPIRED')
})
