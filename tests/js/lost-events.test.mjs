// A stream that loses events (seen in the field: growthbook/growthbook-golang#51). The verifier notices the gap and
// fetches the missing entries.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import { issuerOf, openSession, refusal, verifierOf } from './support.mjs'

test('a kick whose event is lost takes effect with the next event', { timeout: 30_000 }, async story => {
  // This heartbeat interval is long, so that the verifier does not close the silent stream during the test.
  const issuer = await issuerOf(story, { heartbeat: '30' })
  const stream = lossyStream()
  const opened = once(stream, 'opened')
  const verifier = await verifierOf(story, issuer.url, { fetch: stream.fetch })
  const [alice, bob] = [await openSession(issuer, 'alice'), await openSession(issuer, 'bob')]
  await opened

  stream.loses = true
  const lost = once(stream, 'lost')
  await issuer.admin('/subjects/alice/revoke')
  await lost
  verifier.verify(alice.access_token)
  stream.loses = false

  await issuer.admin('/subjects/bob/revoke')
  assert.equal((await refusal(verifier, bob.access_token)).code, 'ERR_JWT_REVOKED')
  assert.equal((await refusal(verifier, alice.access_token)).code, 'ERR_JWT_REVOKED')
})

test(
  'a stream that becomes silent without an end is closed, and the missing list is requested',
  { timeout: 60_000 },
  async story => {
    const issuer = await issuerOf(story)
    const stream = lossyStream()
    const opened = once(stream, 'opened')
    const verifier = await verifierOf(story, issuer.url, { fetch: stream.fetch })
    const { access_token } = await openSession(issuer, 'alice')
    await opened

    stream.loses = true
    await issuer.admin('/subjects/alice/revoke')
    verifier.verify(access_token)
    assert.equal((await refusal(verifier, access_token)).code, 'ERR_JWT_REVOKED')
  },
)

/**
 * Returns a `fetch` whose streams drop all data while `loses` is set. Emits `lost` if a dropped list revokes a session.
 */
function lossyStream() {
  const stream = Object.assign(new EventEmitter(), { loses: false })
  const revokes = event => {
    const [, payload] = /^data: [^.]+\.([^.]+)\./m.exec(event) ?? []
    return payload && JSON.parse(Buffer.from(payload, 'base64url')).revoked !== ''
  }
  const transform = (chunk, controller) => {
    if (!stream.loses) return controller.enqueue(chunk)
    if (revokes(Buffer.from(chunk).toString())) stream.emit('lost')
  }
  stream.fetch = async (resource, init) => {
    const response = await fetch(resource, init)
    if (!new URL(resource).pathname.endsWith('/revocations/stream')) return response
    stream.emit('opened')
    return new Response(response.body.pipeThrough(new TransformStream({ transform })), { headers: response.headers })
  }
  return stream
}
