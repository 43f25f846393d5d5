// The lists that are kept after a snapshot. In these tests a short text stands for a list.
import assert from 'node:assert/strict'
import test from 'node:test'
import { SavedDeltas } from '../src/saved-deltas.js'

const begun = (snapshot = 'snapshot') => new SavedDeltas(snapshot, 1, { trust: '', asOf: 10 })

test('the lists are kept in order, with the as-of time of the last one', () => {
  const deltas = begun()
  assert.deepEqual(deltas.saved, { asOf: 10, lists: ['snapshot'] })
  deltas.append({ list: '2', since: 1, sequence: 2 }, 11)
  deltas.append({ list: '3', since: 2, sequence: 3 }, 12)
  assert.deepEqual(deltas.saved, { asOf: 12, lists: ['snapshot', '2', '3'] })
})

test('a heartbeat replaces the previous heartbeat, and the next list replaces it', () => {
  const deltas = begun()
  deltas.append({ list: '2', since: 1, sequence: 2 }, 11)
  for (const list of ['early', 'late']) deltas.append({ list, since: 2, sequence: 2 }, 12)
  assert.deepEqual(deltas.saved.lists, ['snapshot', '2', 'late'])
  deltas.append({ list: '3', since: 2, sequence: 3 }, 13)
  assert.deepEqual(deltas.saved.lists, ['snapshot', '2', '3'])
})

test('a list replaces the lists that it repeats', () => {
  const deltas = begun()
  deltas.append({ list: '2', since: 1, sequence: 2 }, 11)
  deltas.append({ list: '3', since: 2, sequence: 3 }, 12)
  deltas.append({ list: '2 and 3', since: 1, sequence: 3 }, 13)
  assert.deepEqual(deltas.saved.lists, ['snapshot', '2', '2 and 3'])
})

test('a list that a newer list may not repeat is kept', () => {
  const deltas = begun()
  deltas.append({ list: '2', since: 1, sequence: 2 }, 11)
  deltas.append({ list: '3', since: 1, sequence: 3 }, 12)
  assert.deepEqual(deltas.saved.lists, ['snapshot', '2', '3'])
})

test('a long snapshot is not among the lists, so that a heartbeat does not write it again', () => {
  assert.deepEqual(begun('.'.repeat(64 * 1024)).saved.lists.length, 1)
  assert.deepEqual(begun('.'.repeat(64 * 1024 + 1)).saved.lists, [])
})

for (const [limit, list, fitting] of [
  ['256 lists', '', 255],
  ['256 KiB', '.'.repeat(80 * 1024), 3],
] as const) {
  test(`no list is kept from the one on that exceeds ${limit}: none can be loaded after a gap`, () => {
    const deltas = begun()
    for (let sequence = 2; sequence <= fitting + 1; sequence++)
      deltas.append({ list, since: sequence - 1, sequence }, sequence)
    assert.ok(!deltas.isFull)
    const kept = deltas.saved
    assert.equal(kept.lists.length, 1 + fitting)
    for (const more of [list, '']) deltas.append({ list: more, since: fitting + 1, sequence: fitting + 2 }, 1_000)
    assert.ok(deltas.isFull)
    assert.deepEqual(deltas.saved, kept)
  })
}
