import assert from 'node:assert/strict'
import test from 'node:test'
import { EventStreamParser, type ServerSentEvent } from '../src/events.js'

const STREAM = [
  '\ufeff: a comment\n',
  'id: ab:1\ndata: one\n\n',
  'data:two\r\ndata: lines\r\nid: ab:2\r\n\r\n',
  'event: note\rdata:  kept space\r\r',
  'id: no\0pe\nretry: 10\nunknown: x\ndata\n\n',
  'event: without data\n\n',
  'data: last\n\n',
  'data: never finished',
].join('')

const EVENTS: ServerSentEvent[] = [
  { id: 'ab:1', event: 'message', data: 'one' },
  { id: 'ab:2', event: 'message', data: 'two\nlines' },
  { id: 'ab:2', event: 'note', data: ' kept space' },
  { id: 'ab:2', event: 'message', data: '' },
  { id: 'ab:2', event: 'message', data: 'last' },
]

const parse = (chunks: string[]) => {
  const parser = new EventStreamParser(1000)
  return chunks.flatMap(chunk => parser.push(chunk))
}

test('a stream in one chunk is parsed', () => assert.deepEqual(parse([STREAM]), EVENTS))

test('a stream that is split at any position is parsed', () => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    assert.deepEqual(parse([STREAM.slice(0, cut), STREAM.slice(cut)]), EVENTS, `cut at ${cut}`)
  }
})

test('a stream in chunks of any size, with empty chunks between, is parsed', () => {
  for (let size = 1; size <= STREAM.length; size++) {
    const chunks: string[] = []
    for (let start = 0; start < STREAM.length; start += size) chunks.push(STREAM.slice(start, start + size), '')
    assert.deepEqual(parse(chunks), EVENTS, `pieces of ${size}`)
  }
})

test('an event is refused if all its lines together are longer than the limit', () => {
  assert.equal(new EventStreamParser(10).push('data:12345\n\n')[0]?.data, '12345')
  assert.throws(() => new EventStreamParser(10).push('data:123456'), RangeError)
  assert.throws(() => new EventStreamParser(10).push('data:1\ndata:2\n'), RangeError)
})

test('comments and other fields do not count towards the length of an event', () => {
  const parser = new EventStreamParser(10)
  for (let beat = 0; beat < 100; beat++) parser.push(': beat\nid: 1\n')
  assert.equal(parser.push('data:1\n\n').length, 1)
})
