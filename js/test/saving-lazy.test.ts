// The times at which a verifier of a Worker reads from its store and writes to this store. Both happen within the
// requests of the Worker. A fake module is enough for these tests.
import assert from 'node:assert/strict'
import test from 'node:test'
import { isTokenError } from '../src/errors.js'
import { Context, FakeStore, FakeVerifier, METADATA, METADATA_URL, interruptible, list, since } from './fakes.js'
import { LIST, RECENT, SAVED, SNAPSHOT, STREAM, starting } from './storing.js'

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

test('lazy: a request does not wait for a write of an earlier request, and writes if that write is lost', async () => {
  const store = new FakeStore()
  const { network, host, lazy } = starting(store, { transport: 'poll' })
  const verifier = lazy()
  store.block()
  const first = verifier.refresh(new Context())
  await network.begin(list(1))
  await first
  const soon = new Context()
  await verifier.refresh(soon)
  assert.equal(soon.put.length, 0)
  host.cutOff()
  host.elapse(10_000)
  void verifier.refresh(new Context())
  await store.wrote(RECENT)
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
