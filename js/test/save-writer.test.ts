// The times at which values are written to a store, and the cases in which a value of another process is replaced.
import assert from 'node:assert/strict'
import test from 'node:test'
import { SaveWriter } from '../src/save-writer.js'
import type { Name } from '../src/saved-format.js'
import { SavedValues } from '../src/saved-values.js'
import type { ListStore } from '../types/index.js'
import { FakeHost, FakeStore, ISSUER } from './fakes.js'
import { RECENT, SNAPSHOT } from './storing.js'

/**
 * A writer. `save` plans a write, and writes the values that are due. `written` waits for the writes, and returns the
 * names of the values written since the last call of `written`.
 */
function writing(set?: ListStore['set']) {
  const [store, host, closing] = [new FakeStore(), new FakeHost(), new AbortController()]
  if (set) store.set = set as FakeStore['set']
  const errors: string[] = []
  const writer = new SaveWriter(new SavedValues(store, ISSUER, ({ message }) => errors.push(message)), host)
  const write = () => writer.write(closing.signal)
  const save = (name: Name, lists: string[], { isNews = true, asOf = host.now() / 1_000 } = {}) => {
    writer.plan(name, isNews, () => ({ trust: {}, lists, asOf }))
    return write()
  }
  const written = async () => {
    await store.quiet()
    return store.log.splice(0)
  }
  const close = () => {
    closing.abort()
    return write()
  }
  return { store, host, errors, writer, write, save, written, close }
}

test('a kick is written at once, and a newer time after a minute', async () => {
  const { store, host, save, write, written } = writing()
  await save('recent', ['first'])
  assert.deepEqual(await written(), [RECENT])
  host.elapse(59_999)
  await save('recent', ['time'], { isNews: false })
  assert.deepEqual(await written(), [])
  await save('recent', ['kick'])
  assert.deepEqual(await written(), [RECENT], 'a kick does not wait')
  await save('recent', ['time'], { isNews: false })
  host.elapse(59_999)
  await write()
  assert.deepEqual(store.lists(RECENT), ['kick'])
  host.elapse(1)
  await write()
  assert.deepEqual(store.lists(RECENT), ['time'])
})

test('a kick that is not written yet does not wait because of a newer time', async () => {
  const { store, host, writer, save } = writing()
  await save('recent', ['first'])
  host.elapse(1_000)
  writer.plan('recent', true, () => assert.fail('replaced by the next one'))
  await save('recent', ['kick and time'], { isNews: false })
  assert.deepEqual(store.lists(RECENT), ['kick and time'])
})

test('the snapshot is written first, because the deltas continue from it', async () => {
  const { writer, save, written } = writing()
  writer.plan('recent', true, () => ({ trust: {}, lists: [] }))
  await save('snapshot', [])
  assert.deepEqual(await written(), [SNAPSHOT, RECENT])
})

test('values are written one at a time, a second apart, and the newest lists are written next', async () => {
  const { store, host, writer, save, write, written } = writing()
  const finish = store.block()
  const first = save('recent', ['1'])
  for (const list of ['2', '3']) await save('recent', [list])
  assert.ok(writer.isBusy && writer.isBehind)
  assert.deepEqual(await written(), [RECENT])
  finish()
  await host.waits(1_000)
  await write()
  assert.deepEqual([await written(), store.lists(RECENT)], [[], ['1']])
  host.elapse(1_000)
  await first
  assert.deepEqual([await written(), store.lists(RECENT)], [[RECENT], ['3']])
  assert.ok(!writer.isBusy && !writer.isBehind)
})

test('close writes the rest at once, after the write that is under way, and keeps no timer', async () => {
  const { store, host, save, close } = writing()
  const finish = store.block()
  const first = save('recent', ['1'])
  await save('recent', ['2'])
  await close()
  await host.idle()
  finish()
  await first
  assert.deepEqual(store.lists(RECENT), ['2'])
})

test('close tries a failed write once more, and writes a time that would have waited', async () => {
  const { store, errors, save, close } = writing()
  await save('recent', ['1'])
  await save('recent', ['2'], { isNews: false })
  store.block()(new Error('busy'))
  await save('snapshot', ['3'])
  assert.deepEqual(errors, [`'${SNAPSHOT}' in the store cannot be written: busy`])
  await close()
  assert.deepEqual([store.lists(SNAPSHOT), store.lists(RECENT)], [['3'], ['2']])
})

test('after a write that fails at close the rest is dropped, because no later call repeats it', async () => {
  const { store, host, errors, writer, save, close } = writing()
  store.block()(new Error('busy'))
  await save('recent', ['1'])
  store.block()(new Error('still busy'))
  await close()
  assert.equal(errors.length, 2)
  host.elapse(60_000)
  assert.ok(!writer.isBehind)
})

test('a write that lasts longer than ten seconds does not block later writes, and ends without another write', async () => {
  const { store, host, errors, writer, write, save, written } = writing()
  const atLast = store.block()
  const slow = save('recent', ['1'])
  host.cutOff() // a Worker's timers end with its request
  host.elapse(9_999)
  assert.ok(writer.isBusy)
  host.elapse(1)
  const finish = store.block()
  const next = save('recent', ['2'])
  assert.deepEqual(await written(), [RECENT, RECENT])
  await save('snapshot', ['3'])
  atLast()
  await slow
  await write()
  assert.deepEqual(await written(), [], 'the call that took over continues alone')
  finish()
  await next
  assert.deepEqual([await written(), errors], [[SNAPSHOT], []])
})

for (const [name, set, reason] of [
  ['throws', () => assert.fail('no room'), 'no room'],
  ['rejects', () => Promise.reject(new Error('no room')), 'no room'],
  ['hangs', () => new Promise<void>(() => {}), 'no answer in 10000 ms'],
] as const) {
  test(`a store that ${name} when it is written to is reported, and tried again after a minute`, async () => {
    let tries = 0
    const { host, errors, writer, write, save } = writing(() => (tries++, set()))
    const saved = save('recent', [])
    if (name === 'hangs') {
      await host.waits(10_000)
      host.elapse(10_000)
    }
    await saved
    assert.deepEqual(errors, [`'${RECENT}' in the store cannot be written: ${reason}`])
    host.elapse(59_999)
    await write()
    assert.ok(!writer.isBehind)
    assert.equal(tries, 1)
    host.elapse(1)
    assert.ok(writer.isBehind)
    void write()
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(tries, 2)
  })
}

test('a newer save of another process is not replaced, unless its time is in the future or it cannot be read', async () => {
  const { store, host, save } = writing()
  const now = host.now() / 1_000
  for (const [theirs, isReplaced] of [
    [{ asOf: now - 2 }, true],
    [{ asOf: now - 1 }, true],
    [{ asOf: now }, false],
    [{ asOf: now + 60 }, true],
    [{}, true],
    [{ asOf: now, version: 2 }, true],
  ] as const) {
    const text = JSON.stringify({ version: 1, trust: {}, lists: ['theirs'], ...theirs })
    store.values.set(SNAPSHOT, text)
    host.elapse(1_000)
    host.set(-1_000) // so that `now` stays the time of the wall clock
    await save('snapshot', ['ours'], { asOf: now - 1 })
    assert.deepEqual(store.lists(SNAPSHOT), [isReplaced ? 'ours' : 'theirs'], text)
  }
})
