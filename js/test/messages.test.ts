// The wasm module returns only the code and the evidence of an error. The package makes the message. The messages must
// equal the messages of the Rust crate, and must contain no secrets.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { messageOf } from '../src/messages.js'
import type { Code } from '../types/index.js'

const vectors = new URL('../../tests/vectors/messages/errors.json', import.meta.url)
const errors = JSON.parse(await readFile(vectors, 'utf8')) as {
  code: Code
  message: string
  evidence: Record<string, unknown> | null
}[]

test('D6: each error has the same message in JavaScript and in Rust', () => {
  for (const { code, message, evidence } of errors) assert.equal(messageOf(code, evidence ?? {}), message)
})

test('D6: no message is a code, a number of seconds, or empty', () => {
  for (const { code, message } of errors) {
    assert.notEqual(message, code)
    assert.doesNotMatch(message, /\b\d{9,10}\b|undefined|null|NaN/)
    assert.match(message, /^.{20,}$/s)
  }
})

test('D6: a claim of a token cannot write into a header, a log or a terminal', () => {
  for (const { message } of errors) assert.match(message, /^[\x20-\x7e]*$/)
})
