import assert from 'node:assert/strict'
import test from 'node:test'
import { makeConnectVerifier } from '../src/api.js'
import { isTokenError } from '../src/errors.js'
import type { Instantiate } from '../src/wasm.js'
import type { ConnectOptions } from '../types/index.js'
import {
  EPOCH,
  FakeHost,
  FakeNetwork,
  ISSUER,
  METADATA,
  METADATA_URL,
  fakeModule,
  interruptible,
  list,
  since,
  told,
} from './fakes.js'

const SNAPSHOT = METADATA.revocation_list_uri
const { list: LIST, stream: STREAM } = {
  list: since.bind(null, SNAPSHOT),
  stream: since.bind(null, METADATA.revocation_stream_uri),
}
/**
 * The first pause after a failure, in milliseconds. Random numbers are 0, so the pause is half of the maximum pause.
 */
const PAUSE = 250
const SILENCE = 15_000

function connecting(options: Partial<ConnectOptions> = {}, module: Instantiate = fakeModule) {
  const network = new FakeNetwork()
  const host = new FakeHost()
  const connect = makeConnectVerifier(module, host)
  const verifier = connect({ issuer: ISSUER, audience: 'api', fetch: network.fetch, ...options })
  return { network, host, verifier }
}

async function connected(options: Partial<ConnectOptions> = {}, module?: Instantiate) {
  const { network, host, verifier } = connecting(options, module)
  await network.begin(list(1))
  return { network, host, verifier: await verifier }
}

async function streaming(module?: Instantiate) {
  const parts = await connected({}, module)
  const stream = await parts.network.request(STREAM(1))
  stream.open()
  const change = told(parts.verifier, 'change')
  stream.send(list(2, { since: 1 }))
  await change
  return { ...parts, stream }
}

test('a verifier requests metadata, keys and a first list, then the stream from the cursor of this list', async () => {
  const { verifier, network, host } = await streaming()
  assert.deepEqual(network.log, [METADATA_URL, METADATA.jwks_uri, SNAPSHOT, STREAM(1)])
  const { mode, sequence, epoch } = verifier.status()
  assert.deepEqual({ mode, sequence, epoch }, { mode: 'stream', sequence: 2, epoch: EPOCH })
  verifier.close()
  assert.equal(verifier.status().mode, 'closed')
  await host.idle()
})

test('pinned keys are not requested', async () => {
  const { network, verifier } = connecting({ jwks: { keys: ['first' as never] } })
  ;(await network.request(METADATA_URL)).json(METADATA)
  ;(await network.request(SNAPSHOT)).text(list(1))
  ;(await verifier).close()
  assert.equal(network.count(METADATA.jwks_uri), 0)
})

test('a request has only the header `accept`, follows no redirect, and bypasses caches once a list is held', async () => {
  const network = new FakeNetwork()
  const verifier = makeConnectVerifier(
    fakeModule,
    new FakeHost(),
  )({ issuer: ISSUER, audience: null, fetch: network.fetch })
  ;(await network.request(METADATA_URL)).json(METADATA)
  ;(await network.request(METADATA.jwks_uri)).json({ keys: ['first'] })
  const first = await network.request(SNAPSHOT)
  assert.deepEqual(first.init.headers, { accept: 'application/jwt' })
  assert.equal(first.init.redirect, 'manual')
  assert.equal(first.init.cache, undefined)
  first.text(list(1))
  const stream = await network.request(STREAM(1))
  assert.equal(stream.init.cache, 'no-store')
  ;(await verifier).close()
  await stream.aborted
})

test('a stream that ends is resumed from the cursor, after a back-off', async () => {
  const { verifier, network, host, stream } = await streaming()
  stream.end()
  await host.waits(PAUSE)
  assert.equal(verifier.status().mode, 'poll')
  host.elapse(PAUSE)
  const next = await network.request(STREAM(2))
  next.open()
  const change = told(verifier, 'change')
  next.send(list(3, { since: 2 }))
  assert.equal((await change).sequence, 3)
  verifier.close()
})

test('a stream that breaks is resumed too, and the failure is reported', async () => {
  const { verifier, network, host, stream } = await streaming()
  const error = told(verifier, 'error')
  stream.break()
  assert.match((await error).message, /terminated/)
  await host.waits(PAUSE)
  host.elapse(PAUSE)
  // After a failure, the metadata is fetched again.
  ;(await network.request(METADATA_URL)).json(METADATA)
  await network.request(STREAM(2))
  verifier.close()
})

test('a stream that is silent for one and a half ttl is closed, and the list is requested', async () => {
  const { verifier, network, host, stream } = await streaming()
  host.elapse(SILENCE)
  await stream.aborted
  await host.waits(0) // up to 0.4 ttl, at random
  host.elapse(0)
  ;(await network.request(METADATA_URL)).json(METADATA)
  ;(await network.request(LIST(2))).text(list(3, { since: 2 }))
  // The verifier requested the list directly, and got a newer list, which the stream had not brought. So the verifier
  // tries the stream again after a pause.
  await host.waits(1_000)
  host.elapse(1_000)
  await network.request(STREAM(3))
  verifier.close()
})

test('a heartbeat causes no `change` event, but renews the list’s time', async () => {
  const { verifier, host, stream } = await streaming()
  let changes = 0
  verifier.on('change', () => changes++)
  host.elapse(SILENCE - 1)
  stream.send(list(2, { since: 2, iat: 1_700_000_099 }))
  stream.send(list(3, { since: 2, iat: 1_700_000_099 }))
  await told(verifier, 'change')
  assert.equal(changes, 1)
  assert.equal(verifier.status().asOf, 1_700_000_099)
  verifier.close()
})

test('a list given to `load` causes a `change` event; the same list from the stream does not', async () => {
  const { verifier, stream } = await streaming()
  const sequences: number[] = []
  verifier.on('change', ({ sequence }) => sequences.push(sequence))
  verifier.load(list(3, { since: 2 }))
  assert.deepEqual(sequences, [3])
  stream.send(list(3, { since: 2 }))
  stream.send(list(4, { since: 3 }))
  await told(verifier, 'change')
  assert.deepEqual(sequences, [3, 4])
  verifier.close()
})

test('a gap causes a request for the snapshot', async () => {
  const { verifier, network, stream } = await streaming()
  stream.send(list(9, { since: 7 }))
  const snapshot = await network.request(SNAPSHOT)
  const change = told(verifier, 'change')
  snapshot.text(list(9))
  assert.equal((await change).sequence, 9)
  verifier.close()
})

test('a stream whose deltas never fit causes one snapshot request, not one per event', async () => {
  const { verifier, network, stream } = await streaming()
  stream.send(list(9, { since: 7 }))
  const snapshot = await network.request(SNAPSHOT)
  const asked = network.count(SNAPSHOT)
  const error = told(verifier, 'error')
  stream.send(list(10, { since: 9 }))
  snapshot.text(list(2))
  assert.match((await error).message, /the deltas of .* do not continue from the snapshot of /)
  assert.equal(network.count(SNAPSHOT), asked)
  verifier.close()
})

test('an older list is ignored', async () => {
  const { verifier, stream } = await streaming()
  const change = told(verifier, 'change')
  stream.send(list(1))
  stream.send(list(3, { since: 1 }))
  assert.equal((await change).sequence, 3)
  verifier.close()
})

test('a list signed by an unknown key causes a request for the keys, at most once a minute', async () => {
  const { verifier, network, host, stream } = await streaming()
  let error = told(verifier, 'error')
  stream.send(list(3, { since: 2, kid: 'second' }))
  assert.ok(isTokenError(await error, 'ERR_JWKS_NO_MATCHING_KEY'))
  assert.equal(network.count(METADATA.jwks_uri), 1)

  await host.waits(PAUSE)
  host.elapse(60_000)
  ;(await network.request(METADATA_URL)).json(METADATA)
  const next = await network.request(STREAM(2))
  next.open()
  const change = told(verifier, 'change')
  next.send(list(3, { since: 2, kid: 'second' }))
  ;(await network.request(METADATA.jwks_uri)).json({ keys: ['second'] })
  assert.equal((await change).sequence, 3)
  assert.deepEqual(verifier.status().keys, ['first', 'second'])
  verifier.close()
})

test('a token signed by an unknown key causes a request for the keys, at most once a minute', async () => {
  const { verifier, network, host } = await streaming()
  const refused = () =>
    assert.throws(
      () => verifier.verify('second'),
      error => isTokenError(error, 'ERR_JWKS_NO_MATCHING_KEY'),
    )
  refused()
  host.elapse(60_000)
  refused()
  refused()
  ;(await network.request(METADATA.jwks_uri)).json({ keys: ['second'] })
  ;(await network.request(LIST(2))).text(list(2, { iat: 1_700_000_060 }))
  await verifier.refresh()
  assert.equal(verifier.verify('second').revocation, 'not_revoked')
  assert.equal(network.count(METADATA.jwks_uri), 2)
  assert.throws(
    () => verifier.verify('third'),
    error => isTokenError(error, 'ERR_JWKS_NO_MATCHING_KEY'),
  )
  assert.equal(network.count(METADATA.jwks_uri), 2)
  verifier.close()
})

test('a failed request for the keys of an unknown token does not delay newer lists, and is not repeated at once', async () => {
  const { verifier, network, host } = await streaming()
  host.elapse(60_000)
  await told(verifier, 'error') // the stream's silence
  const error = told(verifier, 'error')
  assert.throws(() => verifier.verify('strange'))
  ;(await network.request(METADATA_URL)).json(METADATA)
  ;(await network.request(METADATA.jwks_uri)).text('down', { status: 500 })
  assert.match((await error).message, /status 500/)
  ;(await network.request(LIST(2))).text(list(3, { since: 2 }))
  await verifier.refresh()
  assert.equal(verifier.status().sequence, 3)
  assert.throws(() => verifier.verify('strange'))
  const asked = verifier.refresh()
  ;(await network.request(LIST(3))).text(list(4, { since: 3 }))
  await asked
  assert.equal(network.count(METADATA.jwks_uri), 2)
  verifier.close()
})

test('during an outage, tokens signed by unknown keys cause no additional requests', async () => {
  const { verifier, network, host } = await streaming()
  host.elapse(60_000)
  await told(verifier, 'error') // the stream's silence
  const error = told(verifier, 'error')
  assert.throws(() => verifier.verify('strange'))
  ;(await network.request(METADATA_URL)).refuse()
  await error
  await host.waits(0)
  host.elapse(0)
  ;(await network.request(METADATA_URL)).refuse()
  await host.waits(PAUSE)
  const asked = network.log.length
  for (let token = 0; token < 3; token++) assert.throws(() => verifier.verify('strange'))
  assert.equal(network.log.length, asked)
  host.elapse(PAUSE)
  ;(await network.request(METADATA_URL)).json(METADATA)
  await network.request(METADATA.jwks_uri) // the request of the first attempt
  verifier.close()
})

test('a verifier polls every ttl if the issuer has no stream', async () => {
  const network = new FakeNetwork()
  const host = new FakeHost()
  const connect = makeConnectVerifier(
    fakeModule,
    host,
  )({ issuer: ISSUER, audience: 'api', fetch: network.fetch, transport: 'poll' })
  await network.begin(list(1))
  const verifier = await connect
  ;(await network.request(LIST(1))).text(list(2, { since: 1 }))
  await host.waits(8_000)
  assert.equal(verifier.status().mode, 'poll')
  host.elapse(8_000)
  const change = told(verifier, 'change')
  ;(await network.request(LIST(2))).text(list(3, { since: 2 }))
  assert.equal((await change).sequence, 3)
  assert.equal(network.count(METADATA.revocation_stream_uri), 0)
  verifier.close()
})

test('a verifier polls while the stream is unavailable, and tries the stream again at growing intervals', async () => {
  const { verifier, network, host } = await connected()
  for (const rest of [1_000, 2_000, 4_000]) {
    ;(await network.request(STREAM(1))).open('text/html')
    ;(await network.request(METADATA_URL)).json(METADATA)
    ;(await network.request(LIST(1))).text(list(1))
    await host.waits(rest)
    host.elapse(rest)
  }
  assert.equal(verifier.status().mode, 'poll')
  verifier.close()
})

test('during an outage the back-off grows to half a ttl, and the held list still verifies tokens', async () => {
  const { verifier, network, host, stream } = await streaming()
  stream.break()
  for (const wait of [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]) {
    await host.waits(wait)
    host.elapse(wait)
    ;(await network.request(METADATA_URL)).refuse()
    assert.equal(verifier.verify('first').revocation, 'not_revoked')
  }
  await host.waits(5_000)
  host.elapse(5_000)
  ;(await network.request(METADATA_URL)).json(METADATA)
  const back = await network.request(STREAM(2))
  back.open()
  const change = told(verifier, 'change')
  back.send(list(3, { since: 2 }))
  await change
  assert.equal(verifier.status().mode, 'stream')
  verifier.close()
})

test('concurrent refreshes share one request', async () => {
  const { verifier, network } = await streaming()
  const asked = [verifier.refresh(), verifier.refresh(), verifier.refresh()]
  ;(await network.request(LIST(2))).text(list(3, { since: 2 }))
  await Promise.all(asked)
  assert.equal(network.count(LIST(2)), 1)
  assert.equal(verifier.status().sequence, 3)
  verifier.close()
})

test('a start requests the first list until its time limit; then no timer or request remains', async () => {
  const { network, host, verifier } = connecting({ connectTimeout: 3 })
  const rejected = assert.rejects(verifier, error => {
    assert.ok(isTokenError(error, 'ERR_LIST_MISSING'))
    assert.match(error.message, /no revocation list in 3000 ms.*connection refused/)
    return true
  })
  for (const wait of [250, 500]) {
    ;(await network.request(METADATA_URL)).refuse()
    await host.waits(wait)
    host.elapse(wait)
  }
  const hanging = await network.request(METADATA_URL)
  host.elapse(2_250)
  await hanging.aborted
  await rejected
  await host.idle()
})

test('a start waits for an issuer that starts later', async () => {
  const { network, host, verifier } = connecting()
  ;(await network.request(METADATA_URL)).text('starting', { status: 503 })
  await host.waits(PAUSE)
  host.elapse(PAUSE)
  await network.begin(list(1))
  ;(await verifier).close()
})

for (const [what, metadata] of [
  ['another issuer', { ...METADATA, issuer: 'https://mallory.example' }],
  ['an insecure address', { ...METADATA, jwks_uri: 'http://issuer.example/jwks' }],
  ['no list', { ...METADATA, revocation_list_uri: undefined }],
] as const) {
  test(`metadata of ${what} is refused at once`, async () => {
    const { network, verifier, host } = connecting()
    ;(await network.request(METADATA_URL)).json(metadata)
    await assert.rejects(verifier, error => isTokenError(error, 'ERR_METADATA_INVALID'))
    await host.idle()
  })
}

test('the error for metadata of another issuer names both issuers, even if they differ by a slash', async () => {
  const { network, verifier } = connecting()
  ;(await network.request(METADATA_URL)).json({ ...METADATA, issuer: `${ISSUER}/` })
  await assert.rejects(verifier, {
    code: 'ERR_METADATA_INVALID',
    message: `${METADATA_URL} belongs to the issuer "${ISSUER}/", not "${ISSUER}"; they must be exactly equal`,
  })
})

test('the well-known part of the metadata URL stands between the issuer’s host and its path', async () => {
  const issuer = `${ISSUER}/tenant/7`
  const { network, verifier } = connecting({ issuer })
  ;(await network.request(`${METADATA_URL}/tenant/7`)).json({ ...METADATA, issuer })
  ;(await network.request(METADATA.jwks_uri)).json({ keys: ['first'] })
  ;(await network.request(SNAPSHOT)).text(list(1))
  ;(await verifier).close()
})

test('answers are limited in size and time', async () => {
  const { network, host, verifier } = connecting({ connectTimeout: 60 })
  ;(await network.request(METADATA_URL)).text('x'.repeat(256 * 1024 + 1))
  await host.waits(PAUSE)
  host.elapse(PAUSE)
  const hanging = await network.request(METADATA_URL)
  host.elapse(10_000)
  await hanging.aborted
  await host.waits(500)
  host.elapse(500)
  await network.begin(list(1))
  ;(await verifier).close()
})

test('close ends the open stream, and a later refresh fails', async () => {
  const { verifier, host, stream } = await streaming()
  verifier.close()
  await stream.aborted
  const isClosed = (error: unknown) => isTokenError(error, 'ERR_VERIFIER_CLOSED')
  await assert.rejects(verifier.refresh(), isClosed)
  verifier.close()
  await host.idle()
  assert.throws(() => verifier.verify('first'), isClosed)
})

test('a removed listener is not called', async () => {
  const { verifier, stream } = await streaming()
  const heard: number[] = []
  const listener = ({ sequence }: { sequence: number }) => void heard.push(sequence)
  verifier.on('change', listener)
  verifier.off('change', listener)
  const change = told(verifier, 'change')
  stream.send(list(3, { since: 2 }))
  await change
  assert.deepEqual(heard, [])
  assert.throws(() => verifier.on('chnage' as never, listener as never), /only 'change' and 'error'/)
  verifier.close()
})

test('an interrupted module refuses until a new one, which trusts the same keys, has a list', async () => {
  const { module, made } = interruptible()
  const { verifier, network, stream } = await streaming(module)
  made[0]!.isInterrupted = true
  const unavailable = (error: unknown) => isTokenError(error, 'ERR_WASM_UNAVAILABLE')
  assert.throws(() => verifier.verify('first'), unavailable)
  const change = told(verifier, 'change')
  stream.send(list(3, { since: 2 }))
  const snapshot = await network.request(SNAPSHOT)
  assert.equal(made.length, 2)
  assert.throws(() => verifier.verify('first'), unavailable)
  assert.throws(() => verifier.status(), unavailable)
  snapshot.text(list(3))
  await change
  assert.equal(network.count(METADATA.jwks_uri), 1)
  assert.equal(verifier.status().sequence, 3)
  assert.equal(verifier.verify('first').revocation, 'not_revoked')
  verifier.close()
})

test('a failure to create a new module is reported, and creation is tried again', async () => {
  const { module, made } = interruptible()
  let memory = true
  const { verifier, network, host, stream } = await streaming(() => {
    if (!memory) throw new RangeError('no memory')
    return module()
  })
  made[0]!.isInterrupted = true
  memory = false
  const trouble = told(verifier, 'error')
  stream.send(list(3, { since: 2 }))
  assert.match(String(await trouble), /no memory/)
  await host.waits(5_000)
  const again = told(verifier, 'error')
  host.elapse(5_000)
  assert.match(String(await again), /no memory/)
  memory = true
  await host.waits(5_000)
  host.elapse(5_000)
  ;(await network.request(METADATA_URL)).json(METADATA)
  const retried = await network.request(METADATA.revocation_stream_uri)
  retried.open()
  const change = told(verifier, 'change')
  retried.send(list(3))
  await change
  assert.equal(verifier.status().sequence, 3)
  verifier.close()
})
