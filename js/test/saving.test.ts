// The times at which a connected verifier in a process reads from its store, and the lists that this verifier saves. A
// fake module is enough for these tests. save-writer.test.ts tests the times of the writes. saving-lazy.test.ts tests
// the requests of Workers.
import assert from 'node:assert/strict'
import test from 'node:test'
import { isTokenError } from '../src/errors.js'
import type { ListStore } from '../types/index.js'
import { Context, FakeStore, METADATA, METADATA_URL, interruptible, list, since, told } from './fakes.js'
import { LIST, RECENT, SNAPSHOT, STREAM, starting, streaming } from './storing.js'

test('a kick is saved at once, a heartbeat within a minute', async () => {
  const store = new FakeStore()
  const { send, beat } = await streaming(store)
  await store.wrote(RECENT)
  const kick = list(2, { since: 1 })
  await send(kick)
  assert.deepEqual(store.lists(RECENT), [list(1), kick])
  await beat(5, 2)
  assert.deepEqual(store.lists(RECENT), [list(1), kick])
  await beat(1, 2)
  assert.equal(store.lists(RECENT).length, 3)
})

test('a snapshot that brings only a newer time is saved within a minute too', async () => {
  const store = new FakeStore()
  const { host, send } = await streaming(store)
  await store.wrote(RECENT)
  const heartbeats = [10, 20, 30, 40, 50, 60].map(seconds => list(1, { iat: 1_700_000_000 + seconds }))
  for (const heartbeat of heartbeats) {
    assert.deepEqual(store.lists(SNAPSHOT), [list(1)])
    host.elapse(10_000)
    await send(heartbeat)
  }
  assert.deepEqual(store.lists(SNAPSHOT), [heartbeats.at(-1)])
})

test('if the lists after the snapshot are too long, a new snapshot is requested and replaces them', async () => {
  const store = new FakeStore()
  const { network, host, send } = await streaming(store)
  for (const seq of [2, 3, 4]) await send(list(seq, { since: seq - 1 }) + ' '.repeat(100_000))
  assert.equal(store.lists(RECENT).length, 3)
  assert.equal(store.asOf(RECENT), 1_700_000_003, 'the time of the last list that fits')
  const snapshot = list(4, { iat: 1_700_009_001 })
  ;(await network.request(LIST)).text(snapshot)
  await host.waits(1_000)
  host.elapse(1_000)
  await store.wrote(RECENT, () => store.lists(RECENT)[0] === snapshot)
  assert.deepEqual(store.lists(SNAPSHOT), [snapshot])
})

test('a store that cannot be written to is reported, and stops nothing', async () => {
  const { verifier, errors, send } = await streaming({ get: () => null, set: () => assert.fail('no room') })
  await send(list(2, { since: 1 }))
  assert.equal(verifier.status().sequence, 2)
  assert.deepEqual(errors.map(String), [`TokenError: '${SNAPSHOT}' in the store cannot be written: no room`])
})

test('FORMAT.md §10: after a key change the snapshot is requested again, and once more if that failed', async () => {
  const store = new FakeStore()
  const { network, verifier, send, beat } = await streaming(store)
  await send(list(2, { since: 1, keys: ['first', 'second'] }))
  const error = told(verifier, 'error')
  ;(await network.request(LIST)).refuse()
  await error
  await beat(6, 2)
  const replacement = list(2, { iat: 1_700_000_090 })
  ;(await network.request(LIST)).text(replacement)
  await store.wrote(SNAPSHOT, text => text.includes('"second"'))
  assert.deepEqual(store.lists(SNAPSHOT), [replacement])
})

test('verifiers that learn of a key change at the same time spread their snapshot requests', async () => {
  const store = new FakeStore()
  const { network, host, send, beat } = await streaming(store)
  host.random = () => 0.5
  await send(list(2, { since: 1, keys: ['first', 'second'] }))
  assert.ok(store.values.get(RECENT)!.includes('"second"'), 'the new keys are saved before the next snapshot')
  assert.equal(network.count(LIST), 1)
  await beat(1, 2)
  assert.equal(network.count(LIST), 2)
})

test('keys that change twice in a minute cause only one snapshot request in that minute', async () => {
  const store = new FakeStore()
  const { network, send, beat } = await streaming(store)
  await send(list(2, { since: 1, keys: ['first', 'second'] }))
  ;(await network.request(LIST)).text(list(2, { iat: 1_700_000_003, keys: ['first', 'second'] }))
  await store.wrote(SNAPSHOT, text => text.includes('"second"'))
  await send(list(3, { since: 2, iat: 1_700_000_004, keys: ['first', 'third'] }))
  await beat(5, 3)
  assert.equal(network.count(LIST), 2)
  await beat(1, 3)
  assert.equal(network.count(LIST), 3)
})

test('a snapshot from a cache that is older than the held list is not saved, and requested again', async () => {
  const store = new FakeStore()
  const { network, send, beat } = await streaming(store)
  await send(list(2, { since: 1, keys: ['first', 'second'] }))
  ;(await network.request(LIST)).text(list(1))
  await send(list(3, { since: 2 }))
  assert.deepEqual(store.lists(SNAPSHOT), [list(1)])
  assert.equal(network.count(LIST), 2)
  await beat(6, 3)
  const newer = list(3, { iat: 1_700_000_090 })
  ;(await network.request(LIST)).text(newer)
  await store.wrote(SNAPSHOT, () => store.lists(SNAPSHOT)[0] === newer)
})

for (const [name, get] of [
  ['throws', () => assert.fail('no room')],
  ['rejects', () => Promise.reject(new Error('no room'))],
  ['hangs', () => new Promise<void>(() => {})],
] as const) {
  test(`a store that ${name} when it is read is reported, and the issuer is asked`, async () => {
    const store: ListStore = { get: get as () => never, set: () => {} }
    const { network, host, connect } = starting(store)
    const connecting = connect()
    if (name === 'hangs') {
      await host.waits(3_000)
      host.elapse(3_000)
    }
    await network.begin(list(1))
    const verifier = await connecting
    const error = told(verifier, 'error')
    host.elapse(0)
    assert.match(String(await error), /TokenError: .* in the store cannot be read: (no room|no answer in 3000 ms)/)
    assert.equal(verifier.status().sequence, 1)
  })
}

test('a store that hangs gets half of `connectTimeout`, and the issuer the rest', async () => {
  const store = { get: () => new Promise<never>(() => {}), set: () => {} }
  const { network, host, connect } = starting(store, { connectTimeout: 1 })
  const connecting = connect()
  await host.waits(500)
  host.elapse(500)
  await network.begin(list(1))
  const verifier = await connecting
  assert.equal(verifier.status().sequence, 1)
})

test('a Map can be used as a store', async () => {
  const store = new Map<string, string>()
  const { verifier } = await streaming(store)
  verifier.close()
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual([...store.keys()], [SNAPSHOT, RECENT])
})

test('trace 23: after an interruption the new module has the trusted and the dropped keys of the old one', async () => {
  const { module, made } = interruptible()
  const store = new FakeStore()
  const { network, verifier, stream, send } = await streaming(store, module)
  await send(list(2, { since: 1, kid: 'first', keys: ['second'] }))
  ;(await network.request(LIST)).text(list(2, { kid: 'second', keys: ['second'] }))
  await store.wrote(SNAPSHOT, text => text.includes('"second"'))
  made[0]!.isInterrupted = true
  const change = told(verifier, 'change')
  stream.send(list(3, { since: 2, kid: 'second' }))
  ;(await network.request(LIST)).text(list(3, { kid: 'second' }))
  assert.equal((await change).sequence, 3)
  assert.deepEqual(verifier.status().keys, ['second'])
  assert.ok(JSON.parse(made.at(-1)!.trust()).dropped.includes('first'))
})

test('in a process, too, the new module starts from the store after an interruption', async () => {
  const { module, made } = interruptible()
  const store = new FakeStore()
  const { network, host, verifier, stream, send } = await streaming(store, module)
  const lists = [list(2, { since: 1 }), list(3, { since: 2 })]
  for (const one of lists) await send(one)
  made.at(-1)!.isInterrupted = true
  stream.end()
  await host.waits(250)
  host.elapse(250)
  const next = await network.request(since(STREAM, 3))
  assert.equal(verifier.verify('first').revocation, 'not_revoked')
  next.open()
  const change = told(verifier, 'change')
  next.send(list(4, { since: 3 }))
  await change
  verifier.close()
  await store.quiet()
  assert.deepEqual(store.lists(RECENT), [list(1), ...lists, list(4, { since: 3 })])
})

test('trace 23: after an interruption dropped keys stay dropped even if the store was emptied', async () => {
  const { module, made } = interruptible()
  const saved = JSON.stringify({
    version: 1,
    trust: { keys: ['second'], dropped: ['first'] },
    lists: [list(1, { kid: 'second' })],
  })
  const store = new FakeStore([[SNAPSHOT, saved]])
  const { network, lazy } = starting(store, { transport: 'poll' }, module)
  const verifier = lazy()
  await Promise.all([verifier.refresh(new Context()), network.request(METADATA_URL)])
  made.at(-1)!.isInterrupted = true
  store.values.clear()
  const again = assert.rejects(verifier.refresh(new Context()), error =>
    isTokenError(error, 'ERR_JWKS_NO_MATCHING_KEY'),
  )
  ;(await network.request(METADATA_URL)).json(METADATA)
  ;(await network.request(LIST)).text(list(2))
  ;(await network.request(METADATA.jwks_uri)).json({ keys: ['first'] })
  await again
  assert.throws(
    () => verifier.verify('second'),
    error => isTokenError(error, 'ERR_WASM_UNAVAILABLE'),
    'without a list the interrupted module still refuses',
  )
})
