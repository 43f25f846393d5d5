// These tests show when a connected verifier reads from its store and writes to it. A fake module is enough for them.
import assert from 'node:assert/strict'
import test from 'node:test'
import { isTokenError } from '../src/errors.js'
import type { ListStore } from '../types/index.js'
import { Context, FakeStore, FakeVerifier, METADATA, METADATA_URL, interruptible, list, since, told } from './fakes.js'
import { LIST, RECENT, SAVED, SNAPSHOT, STREAM, starting, streaming } from './storing.js'

test('a new list is written at once, a heartbeat at most once a minute', async () => {
  const store = new FakeStore()
  const { host, verifier, send, beat } = await streaming(store)
  await store.quiet()
  assert.deepEqual(store.log, [SNAPSHOT, RECENT])
  const second = list(2, { since: 1 })
  await send(second)
  assert.deepEqual(store.log.slice(2), [RECENT])
  await beat(2, 2)
  assert.equal(store.log.length, 3)
  const third = list(3, { since: 2, iat: 1_700_000_020 })
  await send(third)
  assert.equal(store.log.length, 4, 'a list with a revocation is saved without delay')
  assert.deepEqual(store.lists(RECENT), [list(1), second, third])
  await beat(5, 3)
  assert.equal(store.log.length, 4)
  await beat(1, 3)
  assert.equal(store.log.length, 5)
  assert.deepEqual(store.lists(RECENT), [list(1), second, third, list(3, { since: 3, iat: 1_700_000_089 })])
  verifier.close()
  await host.idle()
})

test('a heartbeat replaces the previous one, and a list replaces those that it makes redundant', async () => {
  const store = new FakeStore()
  const { verifier, send } = await streaming(store)
  for (const iat of [1, 2, 3]) await send(list(1, { since: 1, iat: 1_700_000_010 + iat }))
  const polled = list(2, { since: 0, iat: 1_700_000_020 })
  await send(list(2, { since: 1, iat: 1_700_000_019 }))
  await send(polled)
  verifier.close()
  await store.quiet()
  assert.deepEqual(store.lists(RECENT), [list(1), polled])
})

test('a list that a newer one may not repeat is kept with it', async () => {
  const store = new FakeStore()
  const { verifier, send } = await streaming(store)
  const lists = [list(2, { since: 1 }), list(3, { since: 1 })]
  for (const one of lists) await send(one)
  assert.deepEqual(store.lists(RECENT), [list(1), ...lists])
  verifier.close()
})

test('lists are written one at a time, a second apart, and the newest list is written next', async () => {
  const store = new FakeStore()
  const { host, verifier, send } = await streaming(store)
  await store.wrote(RECENT)
  const finish = store.block()
  for (const seq of [2, 3, 4]) await send(list(seq, { since: seq - 1 }))
  assert.equal(store.log.length, 3)
  assert.equal(store.lists(RECENT).length, 1)
  finish()
  await host.waits(1_000)
  host.elapse(1_000)
  await store.wrote(RECENT, () => store.lists(RECENT).length === 4)
  assert.deepEqual([store.log.length, store.overlapped], [4, false])
  verifier.close()
})

test('close writes unsaved lists after the current write, and keeps no timer', async () => {
  const store = new FakeStore()
  const { host, verifier, send } = await streaming(store)
  await store.wrote(RECENT)
  const finish = store.block()
  await send(list(2, { since: 1 }))
  await send(list(2, { since: 2, iat: 1_700_000_050 }))
  verifier.close()
  await host.idle()
  assert.equal(store.log.length, 3)
  finish()
  await store.wrote(RECENT, () => store.lists(RECENT).length === 3)
})

for (const [name, chain] of [
  ['too many', { length: 258, padding: 0 }],
  ['too long', { length: 4, padding: 100_000 }],
] as const) {
  test(`lists that are ${name} after the snapshot are no longer kept, and another snapshot is fetched`, async () => {
    const store = new FakeStore()
    const { network, verifier, send } = await streaming(store)
    for (let seq = 2; seq <= chain.length; seq++) await send(list(seq, { since: seq - 1 }) + ' '.repeat(chain.padding))
    const replacement = await network.request(LIST)
    const kept = store.lists(RECENT)
    assert.ok(kept.length <= 256 && kept.join('').length <= 256 * 1024)
    await send(list(chain.length, { since: chain.length, iat: 1_700_009_000 }))
    assert.deepEqual(store.lists(RECENT), kept, 'a list that would leave a gap is not kept')
    assert.equal(
      store.asOf(RECENT),
      (JSON.parse(kept.at(-1)!) as { iat: number }).iat,
      'the age of the kept lists is unchanged',
    )
    const newest = list(chain.length, { iat: 1_700_009_001 })
    replacement.text(newest)
    await store.wrote(SNAPSHOT, () => store.lists(SNAPSHOT)[0] === newest)
    await store.wrote(RECENT, () => store.lists(RECENT)[0] === newest)
    verifier.close()
  })
}

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
  verifier.close()
})

test('verifiers that learn of a key change at the same time spread their snapshot requests', async () => {
  const store = new FakeStore()
  const { network, host, verifier, send, beat } = await streaming(store)
  host.random = () => 0.5
  await send(list(2, { since: 1, keys: ['first', 'second'] }))
  assert.ok(store.values.get(RECENT)!.includes('"second"'), 'the new keys are saved before the next snapshot')
  assert.equal(network.count(LIST), 1)
  await beat(1, 2)
  assert.equal(network.count(LIST), 2)
  verifier.close()
})

test('keys that change twice in a minute cause only one snapshot request in that minute', async () => {
  const store = new FakeStore()
  const { network, verifier, send, beat } = await streaming(store)
  await send(list(2, { since: 1, keys: ['first', 'second'] }))
  ;(await network.request(LIST)).text(list(2, { iat: 1_700_000_003, keys: ['first', 'second'] }))
  await store.wrote(SNAPSHOT, text => text.includes('"second"'))
  await send(list(3, { since: 2, iat: 1_700_000_004, keys: ['first', 'third'] }))
  await beat(5, 3)
  assert.equal(network.count(LIST), 2)
  await beat(1, 3)
  assert.equal(network.count(LIST), 3)
  verifier.close()
})

test('a snapshot from a cache that is older than the held list is not saved, and requested again', async () => {
  const store = new FakeStore()
  const { network, verifier, send, beat } = await streaming(store)
  await send(list(2, { since: 1, keys: ['first', 'second'] }))
  ;(await network.request(LIST)).text(list(1))
  await send(list(3, { since: 2 }))
  assert.deepEqual(store.lists(SNAPSHOT), [list(1)])
  assert.equal(network.count(LIST), 2)
  await beat(6, 3)
  const newer = list(3, { iat: 1_700_000_090 })
  ;(await network.request(LIST)).text(newer)
  await store.wrote(SNAPSHOT, () => store.lists(SNAPSHOT)[0] === newer)
  verifier.close()
})

test('a snapshot from an issuer without deltas is not written at every heartbeat', async () => {
  const store = new FakeStore()
  const { host, verifier, send } = await streaming(store)
  await store.quiet()
  for (const iat of [10, 20, 30, 40, 50, 60]) {
    assert.equal(store.log.length, 2)
    host.elapse(10_000)
    await send(list(1, { iat: 1_700_000_000 + iat }))
  }
  assert.deepEqual(store.log.slice(2), [SNAPSHOT, RECENT])
  verifier.close()
})

for (const [name, set] of [
  ['throws', () => assert.fail('no room')],
  ['rejects', () => Promise.reject(new Error('no room'))],
  ['hangs', () => new Promise<void>(() => {})],
] as const) {
  test(`a store that ${name} when it is written to is reported once a minute, and stops nothing`, async () => {
    let written = 0
    const store: ListStore = { get: () => null, set: () => (written++, set()) }
    const { host, verifier, errors, send, beat } = await streaming(store)
    if (name === 'hangs') {
      await host.waits(10_000)
      host.elapse(10_000)
    }
    await send(list(2, { since: 1 }))
    assert.equal(verifier.status().sequence, 2)
    assert.match(String(errors[0]), /TokenError: .* in the store cannot be written: (no room|no answer in 10000 ms)/)
    assert.deepEqual([written, errors.length], [1, 1])
    await beat(6, 2)
    assert.equal(written, 2)
    verifier.close()
  })

  test(`a store that ${name} when it is read is reported, and the issuer is asked`, async () => {
    const store: ListStore = { get: set as () => never, set: () => {} }
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
    verifier.close()
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
  verifier.close()
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
  verifier.close()
})

test('lazy: a new list is saved after the answer, or by the request itself if it has no context', async () => {
  const store = new FakeStore()
  const { network, lazy } = starting(store, { transport: 'poll' })
  const ctx = new Context()
  const finish = store.block()
  const first = lazy().refresh(ctx)
  await network.begin(list(1))
  await first
  assert.deepEqual([store.values.size, ctx.put.length], [0, 1])
  finish()
  await Promise.all(ctx.put)
  assert.deepEqual([...store.values.keys()], [SNAPSHOT, RECENT])

  const alone = new FakeStore()
  const parts = starting(alone, { transport: 'poll' })
  const waiting = parts.lazy().refresh()
  await parts.network.begin(list(1))
  await waiting
  assert.deepEqual([...alone.values.keys()], [SNAPSHOT, RECENT])
  await parts.host.idle()
})

test('lazy: lists of the stream are saved while the stream is open', async () => {
  const store = new FakeStore()
  const { network, host, lazy } = starting(store)
  const ctx = new Context()
  const first = lazy().refresh(ctx)
  await network.begin(list(1))
  await first
  const stream = await network.request(since(STREAM, 1))
  stream.open()
  await store.quiet()
  host.elapse(1_000)
  stream.send(list(2, { since: 1 }))
  await store.wrote(RECENT, () => store.lists(RECENT).length === 2)
  await store.quiet()
  host.elapse(1_000)
  const finish = store.block()
  stream.send(list(3, { since: 2 }))
  await store.wrote(RECENT, () => store.log.length === 4)
  let over = false
  const put = Promise.all(ctx.put).then(() => (over = true))
  stream.end()
  await store.quiet()
  assert.equal(over, false, 'the request lasts until the value is written')
  finish()
  await put
  assert.equal(store.overlapped, false)
  await host.idle()
})

test('lazy: a list that was requested after the answer is saved after the answer too', async () => {
  const store = new FakeStore()
  const { network, host, lazy } = starting(store, { transport: 'poll' })
  const verifier = lazy()
  const first = verifier.refresh()
  await network.begin(list(1))
  await first
  host.elapse(10_000)
  const ctx = new Context()
  await verifier.refresh(ctx)
  ;(await network.request(since(LIST, 1))).text(list(2, { since: 1 }))
  await Promise.all(ctx.put)
  assert.deepEqual(store.lists(RECENT), [list(1), list(2, { since: 1 })])
})

test('lazy: a request that was cut off during a write does not block the writes of later requests', async () => {
  const store = new FakeStore()
  const { network, host, lazy } = starting(store, { transport: 'poll' })
  const verifier = lazy()
  const atLast = store.block()
  const first = verifier.refresh(new Context())
  await network.begin(list(1))
  await first
  assert.deepEqual(store.log, [SNAPSHOT])
  const soon = new Context()
  await verifier.refresh(soon)
  assert.equal(soon.put.length, 0)
  host.cutOff()
  host.elapse(10_000)
  const [later, evenLater] = [new Context(), new Context()]
  const finish = store.block()
  void verifier.refresh(later)
  await store.quiet()
  assert.deepEqual(store.log, [SNAPSHOT, SNAPSHOT])
  // The platform had frozen the first write and the timers of this write. Now the write ends. The request that took
  // over the writing continues alone.
  atLast()
  await store.quiet()
  void verifier.refresh(evenLater)
  await store.quiet()
  assert.deepEqual(store.log, [SNAPSHOT, SNAPSHOT])
  finish()
  await store.wrote(RECENT)
  assert.deepEqual(store.log, [SNAPSHOT, SNAPSHOT, RECENT])
})

test('lazy: after an interruption in an outage the new module starts from the store', async () => {
  const { module, made } = interruptible()
  const store = new FakeStore()
  const { network, lazy } = starting(store, { transport: 'poll' }, module)
  const verifier = lazy()
  const first = verifier.refresh()
  await network.begin(list(1))
  await first
  made.at(-1)!.isInterrupted = true
  assert.throws(
    () => verifier.verify('first'),
    error => isTokenError(error, 'ERR_WASM_UNAVAILABLE'),
  )
  await verifier.refresh(new Context())
  assert.equal(verifier.verify('first').revocation, 'not_revoked')
  assert.equal(verifier.status().sequence, 1)
  assert.equal(network.log.length, 3)
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

/** A fake module that reports a fixed value for `stale`. The clock of FakeHost does not change this value. */
const stale = (isStale: boolean) => () =>
  Object.assign(new FakeVerifier(), {
    status(this: FakeVerifier, seconds: number) {
      return { ...FakeVerifier.prototype.status.call(this, seconds), stale: isStale }
    },
  })

test('lazy: the first request uses a saved list that is not stale, without waiting (field: wso2/product-microgateway#2447)', async () => {
  const { network, lazy } = starting(new FakeStore([[SNAPSHOT, SAVED]]), {}, stale(false))
  const verifier = lazy()
  const ctx = new Context()
  await verifier.refresh(ctx)
  assert.equal(verifier.status().sequence, 1)
  assert.equal(network.count(LIST), 0)
  ;(await network.request(METADATA_URL)).json(METADATA)
  await network.request(since(STREAM, 1))
})

test('lazy: with a saved list older than a running issuer would leave, the first request waits for the issuer', async () => {
  const { network, host, lazy } = starting(new FakeStore([[SNAPSHOT, SAVED]]), { transport: 'poll' }, stale(false))
  host.elapse(32_000)
  const verifier = lazy()
  const first = verifier.refresh(new Context())
  ;(await network.request(METADATA_URL)).json(METADATA)
  ;(await network.request(since(LIST, 1))).text(list(2, { since: 1 }))
  await first
  assert.equal(verifier.status().sequence, 2)
})

test('lazy: with a stale saved list the first request waits at most two seconds for the issuer', async () => {
  for (const answers of [true, false]) {
    const { network, host, lazy } = starting(new FakeStore([[SNAPSHOT, SAVED]]), { transport: 'poll' }, stale(true))
    const verifier = lazy()
    const errors: Error[] = []
    verifier.on('error', error => errors.push(error))
    const first = verifier.refresh(new Context())
    const request = await network.request(METADATA_URL)
    if (answers) {
      request.json(METADATA)
      ;(await network.request(since(LIST, 1))).text(list(2, { since: 1 }))
    } else {
      await host.waits(2_000)
      host.elapse(2_000)
    }
    await first
    assert.deepEqual([verifier.status().sequence, errors.length], answers ? [2, 0] : [1, 1])
    const second = new Context()
    await verifier.refresh(second)
    assert.equal(network.count(METADATA_URL), 1, 'later requests do not wait, and do not ask at once')
  }
})

test('lazy: in an outage an empty store is read once a minute, not by every request', async () => {
  const store = new FakeStore()
  const { network, host, lazy } = starting(store, { transport: 'poll' })
  const verifier = lazy()
  let reads = 0
  store.get = key => (reads++, store.values.get(key))
  const refused = async () => {
    const refreshed = assert.rejects(verifier.refresh(new Context()), error => isTokenError(error, 'ERR_LIST_MISSING'))
    ;(await network.request(METADATA_URL)).refuse()
    await refreshed
  }
  await refused()
  host.elapse(5_000)
  await refused()
  assert.equal(reads, 2, 'each of the two values is read once')
  // Now another process has written a list to the store.
  store.values.set(SNAPSHOT, SAVED)
  host.elapse(60_000)
  const refreshed = verifier.refresh(new Context())
  ;(await network.request(METADATA_URL)).refuse()
  await refreshed
  assert.equal(verifier.status().sequence, 1)
})

test('lazy: a saved list that the store returns late does not replace a newer list', async () => {
  const store = new FakeStore()
  const { network, lazy } = starting(store, { transport: 'poll' })
  const verifier = lazy()
  let late = (_: string) => {}
  store.get = key => (key === SNAPSHOT ? new Promise(resolve => (late = resolve)) : undefined)
  const slow = verifier.refresh(new Context())
  const slower = late
  store.get = () => undefined
  const quick = verifier.refresh(new Context())
  await network.begin(list(5))
  await quick
  slower(SAVED)
  await slow
  assert.equal(verifier.status().sequence, 5)
})
