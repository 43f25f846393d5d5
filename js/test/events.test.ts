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
  { event: 'message', data: 'one' },
  { event: 'message', data: 'two\nlines' },
  { event: 'note', data: ' kept space' },
  { event: 'message', data: '' },
  { event: 'message', data: 'last' },
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

test('a line of 4 MB in 8,192 chunks, and a chunk of 512 KB with a CR after each character, take linear work', () => {
  const parser = new EventStreamParser(32 * 1024 * 1024)
  const long = ['data:', ...Array.from({ length: 8192 }, () => 'x'.repeat(512)), '\n\n']
  const short = [':\r'.repeat(256 * 1024)]
  for (const chunks of [long, short]) {
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const handled = charactersHandled(() => chunks.forEach(chunk => parser.push(chunk)))
    assert.ok(handled >= length, 'the count includes every character')
    assert.ok(handled <= 10 * length, `${handled} characters handled for ${length} characters of the stream`)
  }
})

test('an event that ends with CR is complete before the next character arrives', () => {
  assert.deepEqual(
    new EventStreamParser(100).push('data: kick\r\r').map(({ data }) => data),
    ['kick'],
  )
})

test('field names count towards the length of an event, so that lines without a value cannot fill the memory', () => {
  const parser = new EventStreamParser(1000)
  assert.throws(() => {
    for (let line = 0; line < 300; line++) parser.push('data\n')
  }, RangeError)
})

/** Returns how many characters `indexOf`, `slice`, `join` and regular expressions search or copy while `work` runs. */
function charactersHandled(work: () => void): number {
  const { indexOf, slice } = String.prototype
  const { exec } = RegExp.prototype
  const { join } = Array.prototype
  let handled = 0
  String.prototype.indexOf = function (this: string, search: string, from = 0) {
    const at = indexOf.call(this, search, from)
    handled += (at < 0 ? this.length : at + 1) - from
    return at
  }
  String.prototype.slice = function (this: string, from?: number, to?: number) {
    const part = slice.call(this, from, to)
    handled += part.length
    return part
  }
  RegExp.prototype.exec = function (this: RegExp, text: string) {
    const from = this.lastIndex
    const match = exec.call(this, text)
    handled += (match === null ? text.length : match.index + match[0].length) - from
    return match
  }
  Array.prototype.join = function (this: unknown[], separator?: string) {
    const text = join.call(this, separator)
    handled += text.length
    return text
  }
  try {
    work()
  } finally {
    Object.assign(String.prototype, { indexOf, slice })
    RegExp.prototype.exec = exec
    Array.prototype.join = join
  }
  return handled
}
