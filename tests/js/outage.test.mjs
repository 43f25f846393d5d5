// The outage grace of a verifier in Node. The real issuer is stopped.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import { after, isTokenError, issuerOf, openSession, refusal, verifierOf } from './support.mjs'

/**
 * The lifetime of an access token in seconds. Even on a slow machine, a token is still valid when the test kills the
 * issuer.
 */
const ACCESS_TTL = '5'
const GRACE = 3600

const at = seconds => ({ currentDate: new Date(seconds * 1000) })

test('in an outage the API accepts signed-in users, and refuses kicked ones', { timeout: 60_000 }, async story => {
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

test(
  'a service that starts in an outage has the grace of its saved list, and refuses kicked users',
  { timeout: 60_000 },
  async story => {
    const issuer = await issuerOf(story)
    const store = keptIn(new Map())
    const before = await verifierOf(story, issuer.url, { store })
    const [alice, mallory] = [await openSession(issuer, 'alice'), await openSession(issuer, 'mallory')]
    const { seq } = await issuer.admin('/subjects/mallory/revoke')
    await store.has(seq)
    before.close()
    await issuer.stop('SIGKILL')

    const verifier = await verifierOf(story, issuer.url, { store, outageGrace: GRACE })
    const { payload, outage } = verifier.verify(alice.access_token)
    assert.equal(outage, false)
    assert.equal(verifier.verify(alice.access_token, at(payload.exp + GRACE)).outage, true)
    for (const moment of [{}, at(payload.exp + GRACE)])
      assert.throws(
        () => verifier.verify(mallory.access_token, moment),
        error => isTokenError(error, 'ERR_JWT_REVOKED'),
      )
  },
)

/** Returns a store of lists. `has` resolves when the store contains a list with at least this sequence number. */
function keptIn(values) {
  const news = new EventEmitter()
  const sequences = () =>
    [...values.values()]
      .flatMap(value => JSON.parse(value).lists)
      .map(list => JSON.parse(Buffer.from(list.split('.')[1], 'base64url')).seq)
  return {
    get: key => values.get(key),
    set: (key, value) => {
      values.set(key, value)
      news.emit('set')
    },
    async has(seq) {
      while (!sequences().some(kept => kept >= seq)) await once(news, 'set')
    },
  }
}
