// A cache answers with an old list. The request succeeds, but its list is not newer (fault C2, traces 1 and 56).
import assert from 'node:assert/strict'
import test from 'node:test'
import { makeConnectVerifier } from '../src/api.js'
import { isTokenError } from '../src/errors.js'
import type { ConnectOptions } from '../types/index.js'
import {
  Context,
  FakeHost,
  FakeNetwork,
  ISSUER,
  METADATA,
  METADATA_URL,
  fakeModule,
  list,
  settle,
  since,
  told,
  type FakeRequest,
} from './fakes.js'

const SNAPSHOT = METADATA.revocation_list_uri
const LIST = since.bind(null, SNAPSHOT)
const STREAM = since.bind(null, METADATA.revocation_stream_uri)
const TTL = 10_000

async function connected(options: Partial<ConnectOptions> = {}, host = new FakeHost()) {
  const network = new FakeNetwork()
  const verifier = makeConnectVerifier(
    fakeModule,
    host,
  )({
    issuer: ISSUER,
    audience: 'api',
    fetch: network.fetch,
    ...options,
  })
  await network.begin(list(1))
  return { network, host, verifier: await verifier }
}

/**
 * Returns the request that bypasses caches. `fresh` is the only query parameter that the issuer allows for this
 * purpose. Its value is the time in seconds, rounded down to a multiple of a fifth of a `ttl`.
 */
async function pastCaches(network: FakeNetwork, host: FakeHost, address: string): Promise<FakeRequest> {
  const request = await network.request(
    `${address}${address.includes('?') ? '&' : '?'}fresh=${Math.floor(host.now() / 2_000) * 2}`,
  )
  assert.equal(request.init.cache, 'reload')
  return request
}

for (const chance of [0, 0.999]) {
  test(`C2: polls that a cache answers are noticed, reported and repeated past the cache within two ttl (chance ${chance})`, async () => {
    const host = Object.assign(new FakeHost(), { random: () => chance })
    const { network, verifier } = await connected({ transport: 'poll' }, host)
    ;(await network.request(LIST(1))).text(list(1))
    let elapsed = 0
    const elapse = async (ms: number) => {
      await host.waits(ms)
      host.elapse(ms)
      elapsed += ms
    }
    // The kick happens now. The cache answers the first two polls with the old list. Then the verifier sends one more
    // request, which bypasses the cache.
    const polls = [TTL * (0.8 + 0.2 * chance), TTL * (1.4 + 0.4 * chance)]
    await elapse(polls[0]!)
    ;(await network.request(LIST(1))).text(list(1))
    await elapse(polls[1]! - polls[0]!)
    const error = told(verifier, 'error')
    ;(await network.request(LIST(1))).text(list(1))
    ;(await pastCaches(network, host, LIST(1))).text(list(2, { since: 1 }))
    const failure = await error
    assert.ok(isTokenError(failure, 'ERR_LIST_NOT_NEWER'))
    assert.equal(failure.evidence['cached'], true)
    assert.match(failure.message, /a cache \(.*\) answered https:\/\/issuer\.example\/list/)
    assert.equal(verifier.status().sequence, 2)
    assert.ok(elapsed < 2 * TTL, `${elapsed} ms`)
    verifier.close()
  })
}

test('C2: an issuer without a newer list is asked past caches at most once per ttl, and the error names both causes (trace 56)', async () => {
  const { network, host, verifier } = await connected({ transport: 'poll' })
  const errors: Error[] = []
  verifier.on('error', error => errors.push(error))
  let answered = 3
  const answer = async () => {
    for (const url of network.log.slice(answered)) (await network.request(url)).text(list(1))
    answered = network.log.length
    await settle()
  }
  const minutes = 10
  for (let ms = 0; ms < minutes * 60_000; ms += 500) {
    while (answered < network.log.length) await answer()
    host.elapse(500)
    await settle()
  }
  const fresh = network.log.filter(url => url.includes('fresh=')).length
  assert.ok(
    fresh >= (minutes * 60_000) / (2 * TTL) && fresh <= (minutes * 60_000) / TTL,
    `${fresh} requests past caches`,
  )
  const polls = network.log.length - fresh
  assert.ok(polls <= (minutes * 60_000) / (0.8 * TTL) + 4, `${polls} others`)
  assert.ok(errors.length <= fresh && errors.length >= fresh - 1)
  for (const error of errors) {
    assert.ok(isTokenError(error, 'ERR_LIST_NOT_NEWER'))
    assert.equal(error.evidence['cached'], false)
    assert.match(error.message, /the issuer has no newer list, or a cache answered/)
  }
  verifier.close()
})

test('C2: a stream that a cache repeats is closed, and the list is requested past caches', async () => {
  const { network, host, verifier } = await connected()
  const stream = await network.request(STREAM(1))
  stream.open()
  const errors: Error[] = []
  verifier.on('error', error => errors.push(error))
  for (let second = 0; second < 15; second++) {
    stream.send(list(1))
    await settle()
    host.elapse(1_000)
  }
  await stream.aborted
  await host.waits(0)
  host.elapse(0)
  ;(await network.request(METADATA_URL)).json(METADATA)
  ;(await network.request(LIST(1))).text(list(1))
  const change = told(verifier, 'change')
  ;(await pastCaches(network, host, LIST(1))).text(list(2, { since: 1 }))
  assert.equal((await change).sequence, 2)
  // The stream brought no newer list. So the verifier polls, and tries the stream again after a pause. The pause
  // becomes longer after each failed try.
  await host.waits(1_000)
  assert.equal(verifier.status().mode, 'poll')
  assert.ok(errors.some(error => isTokenError(error, 'ERR_LIST_NOT_NEWER')))
  verifier.close()
})

test('C2: a gap in a list that was requested past caches is filled past caches', async () => {
  const { network, host, verifier } = await connected({ transport: 'poll' })
  ;(await network.request(LIST(1))).text(list(1))
  await host.waits(8_000)
  host.elapse(15_000)
  ;(await network.request(LIST(1))).text(list(1))
  ;(await pastCaches(network, host, LIST(1))).text(list(9, { since: 5 }))
  const change = told(verifier, 'change')
  ;(await pastCaches(network, host, SNAPSHOT)).text(list(9))
  assert.equal((await change).sequence, 9)
  verifier.close()
})

test('C2: a lazy verifier notices during its requests that a cache answers', async () => {
  const network = new FakeNetwork()
  const host = new FakeHost()
  const verifier = makeConnectVerifier(fakeModule, host).lazy({
    issuer: ISSUER,
    audience: 'api',
    fetch: network.fetch,
    transport: 'poll',
  })
  const first = verifier.refresh()
  await network.begin(list(1))
  await first
  host.elapse(TTL + 1)
  const due = new Context()
  await verifier.refresh(due)
  const error = told(verifier, 'error')
  ;(await network.request(LIST(1))).text(list(1))
  ;(await pastCaches(network, host, LIST(1))).text(list(2, { since: 1 }))
  assert.ok(isTokenError(await error, 'ERR_LIST_NOT_NEWER'))
  await Promise.all(due.put)
  assert.equal(verifier.status().sequence, 2)
})

test('C2: a lazy verifier closes a stream that a cache repeats', async () => {
  const network = new FakeNetwork()
  const host = new FakeHost()
  const verifier = makeConnectVerifier(fakeModule, host).lazy({ issuer: ISSUER, audience: 'api', fetch: network.fetch })
  const ctx = new Context()
  const first = verifier.refresh(ctx)
  await network.begin(list(1))
  await first
  const stream = await network.request(STREAM(1))
  stream.open()
  const change = told(verifier, 'change')
  stream.send(list(2, { since: 1 }))
  await change
  stream.send(list(2, { since: 1 }))
  await settle()
  host.elapse(15_000)
  await stream.aborted
  ;(await network.request(METADATA_URL)).json(METADATA)
  ;(await network.request(LIST(2))).text(list(2))
  ;(await pastCaches(network, host, LIST(2))).text(list(3, { since: 2 }))
  await Promise.all(ctx.put)
  assert.equal(verifier.status().sequence, 3)
})

test('C2: metadata with a wrong address, and keys that did not sign the first list, are requested again past caches', async () => {
  const network = new FakeNetwork()
  const host = new FakeHost()
  const connecting = makeConnectVerifier(fakeModule, host)({ issuer: ISSUER, audience: 'api', fetch: network.fetch })
  const old = await network.request(METADATA_URL)
  assert.equal(old.init.cache, undefined)
  old.json({ ...METADATA, revocation_list_uri: `${ISSUER}/moved` })
  ;(await network.request(METADATA.jwks_uri)).json({ keys: ['first'] })
  ;(await network.request(`${ISSUER}/moved`)).text('gone', { status: 410 })
  await host.waits(250)
  host.elapse(250)
  const renewed = await network.request(METADATA_URL)
  assert.equal(renewed.init.cache, 'no-store')
  renewed.json(METADATA)
  ;(await network.request(SNAPSHOT)).text(list(1, { kid: 'second' }))
  const keys = await network.request(METADATA.jwks_uri)
  assert.equal(keys.init.cache, 'no-store')
  keys.json({ keys: ['first', 'second'] })
  ;(await connecting).close()
})
