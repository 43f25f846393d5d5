// The data that a connected verifier keeps across a restart, tested with the real module. The tests show the saved data
// that the verifier trusts, and the saved data that the verifier refuses.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { isTokenError, type TokenError } from '../src/errors.js'
import { lazily } from '../src/wasm.js'
import type { ConnectOptions } from '../types/index.js'
import { FakeNetwork, FakeStore, METADATA, METADATA_URL, since, told } from './fakes.js'
import { AUDIENCE, TestIssuer, type ListClaims } from './issuer.js'
import { LIST, RECENT, SNAPSHOT, STREAM, starting as startingOn } from './storing.js'

const module = lazily(readFileSync(new URL('../wasm/verifier.wasm', import.meta.url)))
/** The initial time of FakeHost. */
const NOW = 1_700_000_000
const GID = '00000000000a0001'
const EPOCH = '00000000000000ab'

const issuer = await TestIssuer.create()
const other = await TestIssuer.create()
const both = { keys: [...issuer.jwks.keys, ...other.jwks.keys] }
const alice = await issuer.token(NOW)
const bob = await issuer.token(NOW, { gid: '00000000000b0001', sid: '00000000000b0002' })

const forged = await other.list({ iat: NOW, seq: 1, kid: issuer.kid })
const foreign = await (await TestIssuer.create('https://elsewhere.example')).list({ iat: NOW, seq: 1 })
const good = await issuer.list({ iat: NOW, seq: 1 })
const save = (more: object = {}) =>
  JSON.stringify({ version: 1, trust: { ...issuer.jwks, dropped: [] }, lists: [good], ...more })

const has = (code: string) => (error: unknown) => isTokenError(error, code as never)

/** Prepares a verifier. Its clock shows NOW plus `later` seconds. */
function starting(store: FakeStore, { later = 0, ...options }: Partial<ConnectOptions> & { later?: number } = {}) {
  const started = startingOn(store, { audience: AUDIENCE, ...options }, module)
  started.host.elapse(later * 1000)
  return started
}

async function begin(network: FakeNetwork, list: string, jwks: object = issuer.jwks): Promise<void> {
  ;(await network.request(METADATA_URL)).json(METADATA)
  ;(await network.request(METADATA.jwks_uri)).json(jwks)
  ;(await network.request(LIST)).text(list)
}

/** Returns a store with a saved snapshot and saved deltas. The stream brought the deltas after the snapshot. */
async function savedBy(snapshot: ListClaims, ...deltas: ListClaims[]): Promise<FakeStore> {
  const store = new FakeStore()
  const { network, host, connect } = starting(store)
  const connecting = connect()
  await begin(network, await issuer.list(snapshot))
  const verifier = await connecting
  host.elapse(0)
  const stream = await network.request(since(STREAM, snapshot.seq))
  stream.open()
  for (const delta of deltas) {
    const change = told(verifier, 'change')
    stream.send(await issuer.list(delta))
    await change
  }
  verifier.close()
  await stream.aborted
  await store.quiet()
  return store
}

/** Starts a verifier that asks its issuer for the changes after this position. The issuer answers with this list. */
async function online(store: FakeStore, position: number, list: string, options: Partial<ConnectOptions> = {}) {
  const { network, connect } = starting(store, options)
  const connecting = connect()
  ;(await network.request(METADATA_URL)).json(METADATA)
  ;(await network.request(since(LIST, position))).text(list)
  return { network, connecting }
}

/** Starts a verifier while its issuer is unreachable. Returns the verifier and the errors that it reports. */
async function offline(store: FakeStore, options: Partial<ConnectOptions> & { later?: number } = {}) {
  const { network, host, connect } = starting(store, options)
  const connecting = connect()
  ;(await network.request(METADATA_URL)).refuse()
  const verifier = await connecting
  const errors: Error[] = []
  verifier.on('error', error => errors.push(error))
  host.elapse(0)
  return { verifier, errors, network, host }
}

/** Starts a verifier while its issuer is unreachable and its store contains no usable list. This start must fail. */
async function cannotStart(store: FakeStore, options: Partial<ConnectOptions>): Promise<void> {
  const { host, connect } = starting(store, {
    ...options,
    connectTimeout: 1,
    fetch: () => Promise.reject(new TypeError()),
  })
  const connecting = connect()
  await host.waits(250)
  host.elapse(1_000)
  await assert.rejects(connecting, has('ERR_LIST_MISSING'))
}

test('a verifier that restarts in an outage starts from its saved list, which keeps its age (field: wso2/product-microgateway#2447)', async () => {
  const store = await savedBy({ iat: NOW, seq: 1, revoked: [GID] })
  const { verifier, errors } = await offline(store, { later: 600 })
  assert.throws(() => verifier.verify(alice), has('ERR_JWT_REVOKED'))
  const { payload, freshness } = verifier.verify(bob)
  assert.equal(payload.sub, 'alice')
  assert.deepEqual(freshness, { asOf: NOW, age: 600, stale: true })
  assert.match(errors[0]!.message, /refused/)
  assert.equal(errors.length, 1, 'a listener added at once gets the reason')
})

test('a kick that came as a delta is known after a restart', async () => {
  const store = await savedBy({ iat: NOW, seq: 1 }, { iat: NOW + 1, seq: 2, since: 1, revoked: [GID] })
  const { verifier } = await offline(store)
  assert.throws(() => verifier.verify(alice), has('ERR_JWT_REVOKED'))
  assert.deepEqual([verifier.status().sequence, verifier.status().asOf], [2, NOW + 1])
})

test('an issuer that answers is asked for the delta since the saved list, and not for keys', async () => {
  const store = await savedBy({ iat: NOW, seq: 1 }, { iat: NOW + 1, seq: 2, since: 1 })
  const kick = await issuer.list({ iat: NOW + 9, seq: 3, since: 2, revoked: [GID] })
  const { network, connecting } = await online(store, 2, kick)
  const verifier = await connecting
  assert.throws(() => verifier.verify(alice), has('ERR_JWT_REVOKED'))
  await network.request(since(STREAM, 3))
  assert.deepEqual(network.log, [METADATA_URL, since(LIST, 2), since(STREAM, 3)])
  verifier.close()
  await store.quiet()
  // The revocation is still known after another restart.
  const again = await offline(store)
  assert.throws(() => again.verifier.verify(alice), has('ERR_JWT_REVOKED'))
  assert.deepEqual([again.verifier.status().sequence, again.verifier.status().asOf], [3, NOW + 9])
})

test('a verifier that starts without the issuer tries again automatically', async () => {
  const { network, host } = await offline(await savedBy({ iat: NOW, seq: 1 }))
  const again = network.request(METADATA_URL)
  await host.waits(250)
  host.elapse(250)
  ;(await again).json(METADATA)
  await network.request(since(STREAM, 1))
})

test('a start from a saved list waits at most `connectTimeout` for a silent issuer', async () => {
  const { network, host, connect } = starting(await savedBy({ iat: NOW, seq: 1 }), { connectTimeout: 1 })
  const connecting = connect()
  await network.request(METADATA_URL)
  await host.waits(1_000)
  host.elapse(1_000)
  ;(await connecting).close()
})

test('a start from a saved list waits at most two seconds for a silent issuer, and uses its late answer', async () => {
  const store = await savedBy({ iat: NOW, seq: 1 })
  const { network, host, connect } = starting(store)
  const connecting = connect()
  const silent = await network.request(METADATA_URL)
  await host.waits(2_000)
  host.elapse(2_000)
  const verifier = await connecting
  assert.equal(verifier.status().sequence, 1)
  const change = told(verifier, 'change')
  silent.json(METADATA)
  ;(await network.request(since(LIST, 1))).text(await issuer.list({ iat: NOW + 2, seq: 2, since: 1 }))
  assert.equal((await change).sequence, 2)
})

test('a wrong set-up of the issuer does not prevent a start from a saved list', async () => {
  const store = await savedBy({ iat: NOW, seq: 1 })
  const { network, host, connect } = starting(store)
  const connecting = connect()
  ;(await network.request(METADATA_URL)).json({ ...METADATA, issuer: 'https://elsewhere.example' })
  const verifier = await connecting
  const error = told(verifier, 'error')
  host.elapse(0)
  assert.ok(isTokenError(await error, 'ERR_METADATA_INVALID'))
  assert.equal(verifier.verify(alice).payload.sub, 'alice')
})

test('trace 11: outage grace holds over a restart, and what is revoked stays revoked', async () => {
  const store = await savedBy({ iat: NOW, seq: 1, revoked: [GID] })
  const { verifier } = await offline(store, { later: 1_020, outageGrace: 600 })
  assert.equal(verifier.verify(bob).outage, true)
  assert.throws(() => verifier.verify(alice), has('ERR_JWT_REVOKED'))
  verifier.close()
  const strict = await offline(store, { later: 1_020 })
  assert.throws(() => strict.verifier.verify(bob), has('ERR_JWT_EXPIRED'))
})

test('trace 1: a saved list advances a clock that is behind, and never sets a clock back', async () => {
  const store = await savedBy({ iat: NOW + 3_600, seq: 1, retain: 100_000 })
  const { verifier } = await offline(store)
  assert.throws(() => verifier.verify(alice), has('ERR_JWT_EXPIRED'))
  verifier.close()
  const old = await savedBy({ iat: NOW - 7_200, seq: 1 })
  const late = await offline(old, { later: 1_000 })
  assert.throws(() => late.verifier.verify(alice), has('ERR_JWT_EXPIRED'))
})

/**
 * Returns the store of a verifier. At first the verifier trusted the keys of `issuer` and of `other`. Then a delta that
 * `other` signed dropped the keys of `issuer`.
 */
async function retired(answerSnapshot: boolean): Promise<FakeStore> {
  const store = new FakeStore()
  const { network, host, connect } = starting(store)
  const connecting = connect()
  await begin(network, await issuer.list({ iat: NOW, seq: 1, jwks: both }))
  const verifier = await connecting
  const stream = await network.request(since(STREAM, 1))
  stream.open()
  await store.quiet()
  host.elapse(1_000)
  stream.send(await other.list({ iat: NOW + 1, seq: 2, since: 1, jwks: other.jwks }))
  const refetched = await network.request(LIST)
  if (answerSnapshot) refetched.text(await other.list({ iat: NOW + 1, seq: 2 }))
  else refetched.refuse()
  // Now the verifier must write to the store that the keys were dropped.
  await store.wrote(answerSnapshot ? SNAPSHOT : RECENT, text => !answerSnapshot || !text.includes('"dropped":[]'))
  verifier.close()
  await store.quiet()
  return store
}

for (const [name, answerSnapshot] of [
  ['after the new snapshot was saved', true],
  ['if the new snapshot was not available', false],
] as const) {
  test(`traces 8, 23: a retired key stays retired over a restart without the issuer, ${name}`, async () => {
    const store = await retired(answerSnapshot)
    assert.equal(store.lists(SNAPSHOT)[0]!.startsWith(await headerOf(answerSnapshot ? other : issuer)), true)
    const { verifier } = await offline(store)
    assert.deepEqual(verifier.status().keys, [other.kid])
    assert.equal(verifier.status().sequence, 2)
    assert.throws(() => verifier.verify(bob), has('ERR_JWKS_NO_MATCHING_KEY'))
    verifier.verify(await other.token(NOW))
  })

  test(`trace 23: a cached JWKS does not bring a retired key back, ${name}`, async () => {
    const store = await retired(answerSnapshot)
    const { network, connecting } = await online(store, 2, await other.list({ iat: NOW + 5, seq: 2, since: 2 }))
    const verifier = await connecting
    assert.throws(() => verifier.verify(bob), has('ERR_JWKS_NO_MATCHING_KEY'))
    ;(await network.request(METADATA.jwks_uri)).json(both)
    const again = await network.request(since(LIST, 2))
    const heard = told(verifier, 'change')
    again.text(await other.list({ iat: NOW + 6, seq: 3, since: 2 }))
    await heard
    assert.throws(() => verifier.verify(bob), has('ERR_JWKS_NO_MATCHING_KEY'))
  })
}

const headerOf = async (of: TestIssuer) => (await of.list({ iat: NOW, seq: 1 })).split('.')[0]!

test('trace 23: a retired key stays retired if the list that retired it is lost', async () => {
  const store = await retired(false)
  store.change(RECENT, save => ({ ...save, lists: [] }))
  const { verifier } = await offline(store)
  assert.deepEqual([verifier.status().keys, verifier.status().sequence], [[other.kid], 1])
})

/**
 * Starts a verifier with a saved list that the verifier does not trust. The next answers come from caches. Returns the
 * verifier, which holds no list.
 */
async function listless(store: FakeStore, list: string) {
  const { network, lazy } = starting(store, { onMissing: 'allow' })
  const verifier = lazy()
  const error = told(verifier, 'error')
  const refreshed = assert.rejects(verifier.refresh(), has('ERR_JWKS_NO_MATCHING_KEY'))
  await begin(network, list, both)
  // A cache answered the first request for the keys, so this second request bypasses caches.
  const keys = await network.request(METADATA.jwks_uri)
  assert.equal(keys.init.cache, 'no-store')
  keys.json(both)
  assert.match((await error).message, /snapshot' in the store is not accepted/)
  await refreshed
  return verifier
}

test('trace 23: a dropped key stays dropped if the saved list is refused', async () => {
  const store = await retired(true)
  store.change(SNAPSHOT, save => ({ ...save, lists: [save.lists[0]!.slice(0, -4)] }))
  const verifier = await listless(store, await issuer.list({ iat: NOW, seq: 1 }))
  assert.throws(() => verifier.verify(bob), has('ERR_JWKS_NO_MATCHING_KEY'))
  assert.equal(verifier.verify(await other.token(NOW)).revocation, 'unknown')
})

test('trace 23: a saved list signed by a dropped key is refused although the key is pinned', async () => {
  const trust = { keys: other.jwks.keys, dropped: [issuer.kid] }
  const store = new FakeStore([[SNAPSHOT, save({ trust })]])
  await cannotStart(store, { jwks: both })
})

test('trace 23: a dropped key stays dropped if the only save is refused', async () => {
  const trust = { keys: other.jwks.keys, dropped: [issuer.kid] }
  const store = new FakeStore([[SNAPSHOT, save({ trust, lists: [good.slice(0, -4)] })]])
  const verifier = await listless(store, good)
  assert.throws(() => verifier.verify(bob), has('ERR_JWKS_NO_MATCHING_KEY'))
})

test('saved keys are accepted only with a list that they signed', async () => {
  const mallory = await TestIssuer.create()
  const store = new FakeStore([[SNAPSHOT, save({ trust: { ...mallory.jwks, dropped: [] } })]])
  const verifier = await listless(store, await mallory.list({ iat: NOW, seq: 1 }))
  const forged = await mallory.token(NOW)
  assert.throws(() => verifier.verify(forged), has('ERR_JWKS_NO_MATCHING_KEY'))
})

test('a valid save is accepted, so that the next tests prove something', async () => {
  const store = new FakeStore([[SNAPSHOT, save()]])
  const { verifier } = await offline(store)
  assert.equal(verifier.status().sequence, 1)
})

for (const [flaw, value] of Object.entries({
  'is cut short': save().slice(0, -9),
  'is empty': '',
  'is not JSON': 'garbage',
  'is not an object': 'null',
  'is not a text': 17,
  'is bytes': new TextEncoder().encode(save()),
  'is longer than any list may be': ' '.repeat(33 * 1024 * 1024) + save(),
  "is of tomorrow's version": save({ version: 2 }),
  'has no lists': save({ lists: [] }),
  'has invalid lists': save({ lists: [{}] }),
  'has no trust': save({ trust: null }),
  'has more keys than allowed': save({ trust: { ...issuer.jwks, dropped: Array(2_000).fill(other.kid) } }),
  'has trust without the dropped ones': save({ trust: issuer.jwks }),
  'has a private key': save({ trust: { keys: [{ ...issuer.jwks.keys[0], d: 'AA' }], dropped: [] } }),
  'has a list without its signature': save({ lists: [good.slice(0, good.lastIndexOf('.'))] }),
  'has a list that was changed': save({ lists: [good.replace(/\.(.{40})./, '.$1A')] }),
  'has a list of a key that it does not trust': save({ trust: { ...other.jwks, dropped: [] } }),
  'has a list of a key that it dropped': save({ trust: { ...issuer.jwks, dropped: [issuer.kid] } }),
  'has a forged list': save({ lists: [forged] }),
  "has another issuer's list": save({ trust: { ...issuer.jwks, dropped: [] }, lists: [foreign] }),
  'has a list from the day after tomorrow': save({ lists: [await issuer.list({ iat: NOW + 90_000, seq: 1 })] }),
  'has a delta for a snapshot': save({ lists: [await issuer.list({ iat: NOW, seq: 2, since: 1 })] }),
})) {
  test(`a save that ${flaw} is reported, and the issuer is asked as without a save`, async () => {
    const store = new FakeStore([[SNAPSHOT, value as string]])
    const { network, host, connect } = starting(store)
    const connecting = connect()
    const isDropped = flaw.includes('dropped') && flaw.includes('key')
    await begin(network, await (isDropped ? other : issuer).list({ iat: NOW + 1, seq: 5 }), both)
    const verifier = await connecting
    const error = told(verifier, 'error')
    host.elapse(0)
    const { code, message } = (await error) as TokenError
    assert.equal(code, 'ERR_STORE_FAILED')
    assert.ok(message.startsWith(`'${SNAPSHOT}' in the store `), message)
    if (flaw.includes('more keys')) assert.match(message, /too many keys: their JSON has \d+ characters/)
    assert.ok(message.length < 400 && !message.includes('garbage'), 'the message does not quote the value')
    assert.equal(verifier.status().sequence, 5)
    await store.wrote(SNAPSHOT, text => text.startsWith('{"version":1'))
  })
}

test('recent lists up to a gap are used, and so is the snapshot', async () => {
  const fits = await issuer.list({ iat: NOW + 1, seq: 2, since: 1, revoked: [GID] })
  const gap = await issuer.list({ iat: NOW + 9, seq: 9, since: 8 })
  const store = new FakeStore([
    [SNAPSHOT, save()],
    [RECENT, save({ lists: [fits, gap] })],
  ])
  const { verifier, errors } = await offline(store)
  assert.deepEqual([verifier.status().sequence, verifier.status().asOf], [2, NOW + 1])
  assert.match(errors[0]!.message, /recent' in the store is not accepted/)
})

test('a newer snapshot of one process works with the recent lists of another', async () => {
  const old = await issuer.list({ iat: NOW - 9, seq: 0, since: 0 })
  const news = await issuer.list({ iat: NOW + 1, seq: 2, since: 0, revoked: [GID] })
  const store = new FakeStore([
    [SNAPSHOT, save()],
    [RECENT, save({ trust: { ...both, dropped: [] }, lists: [old, news] })],
  ])
  const { verifier, errors } = await offline(store)
  assert.throws(() => verifier.verify(alice), has('ERR_JWT_REVOKED'))
  assert.equal(errors.length, 1, 'the only error is about the issuer')
  assert.deepEqual(verifier.status().keys, [issuer.kid], 'keys are read only from the snapshot')
})

test('a store adds no key to pinned keys, and a pinned key must have signed the saved list', async () => {
  const store = new FakeStore([[SNAPSHOT, save()]])
  const own = await offline(store, { jwks: issuer.jwks })
  assert.equal(own.verifier.status().sequence, 1)
  own.verifier.close()
  await cannotStart(store, { jwks: other.jwks })
})

test('trace 23: a pinned key that was retired is not trusted again after a restart', async () => {
  const store = await retired(true)
  const news = await other.list({ iat: NOW + 5, seq: 3, since: 2 })
  const verifier = await (await online(store, 2, news, { jwks: both })).connecting
  assert.deepEqual(verifier.status().keys, [other.kid])
  assert.throws(() => verifier.verify(bob), has('ERR_JWKS_NO_MATCHING_KEY'))
})

test('a new issuer with other keys and another epoch replaces the saved list', async () => {
  const store = await savedBy({ iat: NOW, seq: 1 })
  const replacement = await other.list({ iat: NOW + 1, seq: 0, epoch: '00000000000000cd' })
  const { network, connecting } = await online(store, 1, replacement)
  ;(await network.request(METADATA.jwks_uri)).json(other.jwks)
  const verifier = await connecting
  assert.equal(verifier.status().epoch, '00000000000000cd')
  assert.deepEqual(verifier.status().keys, [other.kid])
  verifier.close()
  await store.quiet()
  const again = await offline(store)
  assert.equal(again.verifier.status().epoch, '00000000000000cd')
})

test('a list that the application loads is saved too', async () => {
  const store = new FakeStore()
  const { network, connect } = starting(store)
  const connecting = connect()
  await begin(network, good)
  const verifier = await connecting
  verifier.load(await issuer.list({ iat: NOW + 1, seq: 2, since: 1, revoked: [GID] }))
  verifier.close()
  await store.quiet()
  const after = await offline(store)
  assert.throws(() => after.verifier.verify(alice), has('ERR_JWT_REVOKED'))
})

test('verifiers of several issuers share a store, and each finds its own save', async () => {
  const store = await savedBy({ iat: NOW, seq: 1 })
  const elsewhere = 'https://elsewhere.example'
  await cannotStart(store, { issuer: elsewhere })
  const { verifier, errors } = await offline(store)
  assert.deepEqual([verifier.status().epoch, errors.length], [EPOCH, 1])
})
