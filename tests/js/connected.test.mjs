// The connected verifier of the package, in Node, with the real issuer.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import {
  PACKAGE,
  after,
  connectVerifier,
  isTokenError,
  issuerOf,
  openSession,
  refusal,
  startProxy,
  verifierOf,
  watchedFetch,
} from './support.mjs'

const options = { timeout: 60_000 }

test('a kick reaches a connected verifier', options, async story => {
  const issuer = await issuerOf(story)
  const verifier = await verifierOf(story, issuer.url)
  const [alice, bob] = [await openSession(issuer, 'alice'), await openSession(issuer, 'bob')]
  const { payload, revocation, freshness } = verifier.verify(alice.access_token)
  assert.deepEqual([payload.sub, revocation, freshness.stale], ['alice', 'not_revoked', false])

  const changes = []
  verifier.on('change', change => changes.push(change))
  const acknowledged = await issuer.admin('/subjects/alice/revoke')

  const error = await refusal(verifier, alice.access_token)
  assert.deepEqual([error.code, error.evidence.by], ['ERR_JWT_REVOKED', 'gid'])
  assert.deepEqual([verifier.status().epoch, verifier.status().sequence], [acknowledged.epoch, acknowledged.seq])
  assert.equal(verifier.verify(bob.access_token).payload.sub, 'bob')
  assert.deepEqual(changes.at(-1).revoked, [payload.gid])
  assert.ok(!error.message.includes(alice.access_token))
})

test('a voided token is replaced by a refresh without an error', options, async story => {
  const issuer = await issuerOf(story)
  const verifier = await verifierOf(story, issuer.url)
  const session = await openSession(issuer, 'alice')
  await issuer.admin('/subjects/alice/void')
  assert.equal((await refusal(verifier, session.access_token)).code, 'ERR_JWT_REVOKED')
  const refreshed = await issuer.refresh(session.refresh_token)
  assert.equal(verifier.verify(refreshed.access_token).payload.sub, 'alice')
})

test('a logout ends one session', options, async story => {
  const issuer = await issuerOf(story)
  const verifier = await verifierOf(story, issuer.url)
  const [laptop, phone] = [await openSession(issuer, 'alice'), await openSession(issuer, 'alice')]
  const headers = { authorization: `Bearer ${laptop.access_token}` }
  const answer = await fetch(`${issuer.url}/logout`, { method: 'POST', headers })
  assert.equal(answer.status, 200)
  const error = await refusal(verifier, laptop.access_token)
  assert.deepEqual([error.code, error.evidence.by], ['ERR_JWT_REVOKED', 'sid'])
  assert.equal(verifier.verify(phone.access_token).payload.sub, 'alice')
})

test('a cut-off ends every token', options, async story => {
  const issuer = await issuerOf(story)
  const verifier = await verifierOf(story, issuer.url)
  const [alice, bob] = [await openSession(issuer, 'alice'), await openSession(issuer, 'bob')]
  await issuer.admin('/cutoff', { end_sessions: false })
  for (const session of [alice, bob]) {
    const error = await refusal(verifier, session.access_token)
    assert.deepEqual([error.code, error.evidence.by], ['ERR_JWT_REVOKED', 'cutoff'])
    const refreshed = await issuer.refresh(session.refresh_token)
    verifier.verify(refreshed.access_token)
  }
})

test('a retired key is no longer trusted', options, async story => {
  const issuer = await issuerOf(story)
  const verifier = await verifierOf(story, issuer.url)
  const session = await openSession(issuer, 'alice')
  const {
    protectedHeader: { kid },
  } = verifier.verify(session.access_token)
  await issuer.admin('/keys/retire', { kid })
  assert.equal((await refusal(verifier, session.access_token)).code, 'ERR_JWKS_NO_MATCHING_KEY')
  const refreshed = await issuer.refresh(session.refresh_token)
  assert.notEqual(verifier.verify(refreshed.access_token).protectedHeader.kid, kid)
})

// Seen in the field: growthbook/growthbook-golang#51
test('a stream that breaks resumes with its cursor', options, async story => {
  const proxy = await startProxy(story)
  const issuer = await issuerOf(story, { args: ['--issuer', proxy.url] })
  proxy.target = Number(new URL(issuer.url).port)
  const watched = watchedFetch()
  const opened = watched.opened()
  const verifier = await verifierOf(story, proxy.url, { fetch: watched.fetch })
  const session = await openSession(issuer, 'alice')
  await opened

  proxy.refusing = true
  const cut = new Promise(resolve => verifier.on('error', resolve))
  proxy.cut()
  await cut
  const { epoch, sequence } = verifier.status()
  await issuer.admin('/subjects/alice/revoke')
  verifier.verify(session.access_token)
  proxy.refusing = false

  assert.equal((await refusal(verifier, session.access_token)).code, 'ERR_JWT_REVOKED')
  if (watched.streams.length === 1) await watched.opened()
  const since = watched.streams[1].searchParams.get('since')
  const resumed = Number(since.slice(epoch.length + 1))
  assert.ok(since.startsWith(`${epoch}:`) && resumed >= sequence, since)
})

// Seen in the field: growthbook/growthbook-golang#51
test('a gap is filled with a snapshot', options, async story => {
  // This stream begins after the position of the verifier. A server that ignores the requested cursor would do the
  // same.
  const issuer = await issuerOf(story)
  const later = async url => {
    const [, payload] = (await (await fetch(`${issuer.url}/revocations`)).text()).split('.')
    const { epoch, seq } = JSON.parse(Buffer.from(payload, 'base64url'))
    const changed = new URL(url)
    changed.search = `?since=${epoch}:${seq}`
    return changed
  }
  const sessions = []
  for (const sub of ['alice', 'bob', 'mallory']) sessions.push(await openSession(issuer, sub))
  let open
  const gate = new Promise(resolve => {
    open = resolve
  })
  const watched = watchedFetch({
    stream: async url => {
      await gate
      return later(url)
    },
  })
  const verifier = await verifierOf(story, issuer.url, { fetch: watched.fetch })
  for (const sub of ['alice', 'bob', 'mallory']) await issuer.admin(`/subjects/${sub}/revoke`)
  verifier.verify(sessions[0].access_token)

  open()

  for (const session of sessions) assert.equal((await refusal(verifier, session.access_token)).code, 'ERR_JWT_REVOKED')
  assert.equal(verifier.status().entries, 3)
  assert.equal(watched.lists.at(-1).searchParams.get('since'), null, 'the last request is for a snapshot')
})

test('without a stream a connected verifier polls', options, async story => {
  const issuer = await issuerOf(story)
  const session = await openSession(issuer, 'alice')
  const streamless = watchedFetch({ stream: () => Promise.reject(new TypeError('no streams here')) })
  const verifiers = [
    await verifierOf(story, issuer.url, { fetch: streamless.fetch }),
    await verifierOf(story, issuer.url, { transport: 'poll' }),
  ]
  await issuer.admin('/subjects/alice/revoke')
  for (const verifier of verifiers) {
    assert.equal((await refusal(verifier, session.access_token)).code, 'ERR_JWT_REVOKED')
    assert.equal(verifier.status().mode, 'poll')
  }
})

test(
  'in an outage tokens verify and the status has the list’s age; afterwards the verifier catches up',
  options,
  async story => {
    const issuer = await issuerOf(story)
    const verifier = await verifierOf(story, issuer.url)
    const strict = await verifierOf(story, issuer.url, { onStale: 'deny' })
    const session = await openSession(issuer, 'alice')
    strict.verify(session.access_token)

    await issuer.stop()

    await Promise.all([verifier, strict].map(verifier => after(verifier, 'error', () => verifier.status().stale)))
    const { freshness, revocation } = verifier.verify(session.access_token)
    assert.deepEqual([revocation, freshness.stale], ['not_revoked', true])
    assert.ok(freshness.age > 3 && freshness.asOf > 0, 'older than three heartbeats')
    assert.throws(
      () => strict.verify(session.access_token),
      error => isTokenError(error, 'ERR_LIST_STALE'),
    )

    await issuer.start()
    await issuer.admin('/subjects/alice/revoke')
    for (const caughtUp of [verifier, strict]) {
      await refusal(caughtUp, session.access_token, 'ERR_JWT_REVOKED')
      assert.equal(caughtUp.status().stale, false)
    }
  },
)

test('a closed verifier does not keep the process alive', options, async story => {
  const { url } = await issuerOf(story)
  const script = `
    import { connectVerifier } from ${JSON.stringify(pathToFileURL(`${PACKAGE}/index.js`).href)}
    const verifier = await connectVerifier({ issuer: ${JSON.stringify(url)}, audience: 'api' })
    verifier.close()
    console.log(verifier.status().mode)
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = child.stdout.toArray()
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
  assert.equal(
    Buffer.concat(await said)
      .toString()
      .trim(),
    'closed',
  )
})

test('the error for an unreachable issuer names its URL', options, async story => {
  const proxy = await startProxy(story)
  proxy.refusing = true
  const connecting = connectVerifier({ issuer: proxy.url, audience: 'api', connectTimeout: 1 })
  await assert.rejects(
    connecting,
    error => isTokenError(error, 'ERR_LIST_MISSING') && error.message.includes(proxy.url),
  )
})
