import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import type { Verifier } from '../types/index.js'
import { isTokenError } from '../src/errors.js'
import { bind } from '../src/entrypoints/slim.js'
import { AUDIENCE, ISSUER, TestIssuer } from './issuer.js'

const issuer = await TestIssuer.create()
const NOW = 1_800_000_000
const at = { currentDate: new Date(NOW * 1000) }
const token = await issuer.token(NOW)
const list = await issuer.list({ iat: NOW, seq: 1 })
const { createVerifier } = bind(readFileSync(new URL('../wasm/verifier.wasm', import.meta.url)))

/** Returns a verifier that remembers no tokens. So each call verifies a signature, which needs a deep stack. */
function ready(): Verifier {
  const verifier = createVerifier({ issuer: ISSUER, audience: AUDIENCE, jwks: issuer.jwks, cacheSize: 0 })
  verifier.load(list, at)
  return verifier
}

/**
 * Calls itself until the stack is exhausted. Then the levels return one after another, and each level tries `call` once
 * more. The tries end when the verifier refuses `call` with an error code. In the first tries, the stack can be
 * exhausted before `call` enters the module. Such tries do not damage the module.
 */
function sink(call: () => unknown): boolean {
  let refused = false
  try {
    call()
    refused = sink(call)
  } catch {}
  return refused || isRefused(call)
}

function isRefused(call: () => unknown): boolean {
  try {
    call()
    return false
  } catch (error) {
    return isTokenError(error)
  }
}

test('an exhausted stack makes all verifiers of its instance unusable, but not the next ones', () => {
  for (let round = 0; round < 3; round++) {
    const [interrupted, beside] = [ready(), ready()]
    interrupted.verify(token, at)
    beside.verify(token, at)
    assert.ok(sink(() => interrupted.verify(token, at)))
    for (const verifier of [interrupted, beside]) {
      for (const call of [
        () => verifier.verify(token, at),
        () => verifier.verify('nonsense', at),
        () => verifier.load(list, at),
        () => verifier.status(at),
      ]) {
        assert.throws(call, error => {
          assert.ok(isTokenError(error, 'ERR_WASM_UNAVAILABLE'), String(error))
          assert.match(error.message, /interrupted.*make a new one/)
          return error.cause instanceof RangeError
        })
      }
    }
    assert.equal(ready().verify(token, at).payload.sub, 'alice')
  }
})
