// Several verifiers (processes, tabs, isolates) use one store, and one verifier continues after an interruption. An
// older list must not replace the saved list or the list that is in use.
import assert from 'node:assert/strict'
import test from 'node:test'
import { isTokenError } from '../src/errors.js'
import type { ListStore } from '../types/index.js'
import { Context, FakeStore, METADATA, METADATA_URL, interruptible, list } from './fakes.js'
import { LIST, RECENT, SAVED, SNAPSHOT, starting, streaming } from './storing.js'

/** A view of the store. The first two reads find nothing, as if the verifier had read before the store had a value. */
function early(store: FakeStore): ListStore {
  let reads = 0
  return { get: key => (reads++ < 2 ? undefined : store.get(key)), set: (key, value) => store.set(key, value) }
}

/** Starts a verifier while the issuer is unreachable. Returns the sequence number and the errors of that verifier. */
async function restarted(store: FakeStore) {
  const { network, host, connect } = starting(store)
  const connecting = connect()
  ;(await network.request(METADATA_URL)).refuse()
  const verifier = await connecting
  const errors: string[] = []
  verifier.on('error', ({ message }) => errors.push(message))
  host.elapse(0)
  const { sequence } = verifier.status()
  verifier.close()
  return { sequence, errors }
}

test('the recent lists of one process work with the older snapshot of another process', async () => {
  const store = new FakeStore()
  const [first, second] = [starting(early(store)), starting(early(store))]
  const connecting = [first.connect(), second.connect()]
  await second.network.begin(list(5))
  const quick = await connecting[1]!
  await store.quiet()
  await first.network.begin(list(1))
  await connecting[0]
  await store.quiet()
  assert.deepEqual(store.lists(SNAPSHOT), [list(1)])
  second.host.elapse(1_000)
  quick.load(list(6, { since: 5 }))
  quick.close()
  await store.quiet()
  const { sequence, errors } = await restarted(store)
  assert.deepEqual([sequence, errors.length], [6, 1], 'the only error is about the issuer')
})

test('after an interruption a verifier does not return to a list older than its last one', async () => {
  const { module, made } = interruptible()
  const store = new FakeStore()
  const { network, host, lazy } = starting(store, { transport: 'poll' }, module)
  const verifier = lazy()
  const first = verifier.refresh()
  await network.begin(list(1))
  await first
  store.set = () => Promise.reject(new Error('no room'))
  verifier.load(list(2, { since: 1 }))
  await verifier.refresh(new Context())
  made.at(-1)!.isInterrupted = true
  host.elapse(10_000)
  const again = verifier.refresh(new Context())
  ;(await network.request(LIST)).refuse()
  await assert.rejects(again, error => isTokenError(error, 'ERR_LIST_MISSING'))
  assert.throws(
    () => verifier.verify('first'),
    error => isTokenError(error, 'ERR_WASM_UNAVAILABLE'),
  )
})

for (const [name, older] of [
  ['older than the one that it started from', list(1)],
  ['of another epoch, whose sequence numbers do not compare', list(9, { epoch: '00000000000000cd' })],
] as const) {
  test(`after an interruption a verifier does not accept a saved list ${name}`, async () => {
    const { module, made } = interruptible()
    const saved = (text: string) => JSON.stringify({ ...JSON.parse(SAVED), lists: [text] })
    const store = new FakeStore([[SNAPSHOT, saved(list(2))]])
    const { network, lazy } = starting(store, { transport: 'poll' }, module)
    const verifier = lazy()
    await verifier.refresh(new Context())
    assert.equal(verifier.status().sequence, 2)
    ;(await network.request(METADATA_URL)).refuse()
    store.values.set(SNAPSHOT, saved(older))
    made.at(-1)!.isInterrupted = true
    const again = verifier.refresh(new Context())
    ;(await network.request(METADATA_URL)).refuse()
    await assert.rejects(again, error => isTokenError(error, 'ERR_LIST_MISSING'))
  })
}

test('a start without an answer of the issuer uses a list that another process saves meanwhile', async () => {
  const store = new FakeStore()
  const { network, host, connect } = starting(store, { connectTimeout: 600 })
  const connecting = connect()
  ;(await network.request(METADATA_URL)).refuse()
  await host.waits(250)
  store.values.set(SNAPSHOT, SAVED)
  host.elapse(60_000)
  ;(await network.request(METADATA_URL)).refuse()
  const verifier = await connecting
  assert.equal(verifier.status().sequence, 1)
})

test('a list of another epoch replaces the saved one, with any sequence number', async () => {
  const store = new FakeStore()
  const { send } = await streaming(store)
  const replacement = list(1, { epoch: '00000000000000cd', iat: 1_700_000_002 })
  await send(replacement)
  assert.deepEqual(store.lists(SNAPSHOT), [replacement])
})

test('recent lists without a snapshot are ignored without an error, because a cache may have lost the snapshot', async () => {
  const store = new FakeStore([[RECENT, SAVED]])
  const { network, host, connect } = starting(store)
  const connecting = connect()
  await network.begin(list(2))
  const verifier = await connecting
  verifier.on('error', assert.fail)
  host.elapse(0)
  assert.equal(verifier.status().sequence, 2)
})

test('after an interruption before the first list the new module has the keys of the old one', async () => {
  const { module, made } = interruptible()
  const { network, host, lazy } = starting(new FakeStore(), {}, module)
  const verifier = lazy()
  const first = verifier.refresh(new Context())
  ;(await network.request(METADATA_URL)).json(METADATA)
  ;(await network.request(METADATA.jwks_uri)).json({ keys: ['first'] })
  ;(await network.request(LIST)).refuse()
  await assert.rejects(first)
  made.at(-1)!.isInterrupted = true
  host.elapse(5_000)
  const second = verifier.refresh(new Context())
  ;(await network.request(METADATA_URL)).json(METADATA)
  ;(await network.request(LIST)).text(list(1))
  await second
  assert.equal(verifier.status().sequence, 1)
})
