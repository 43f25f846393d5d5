import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { inspect } from 'node:util'
import type { VerifierOptions } from '../types/index.js'
import { isTokenError } from '../src/errors.js'
import { lazily } from '../src/wasm.js'

const instantiate = lazily(readFileSync(new URL('../wasm/verifier.wasm', import.meta.url)))
const make = (options: object) => instantiate(options as VerifierOptions)
const good = { issuer: 'https://issuer.example', audience: null }

// In the package, src/options.ts refuses values of a wrong type before the module gets them. This test passes such
// values to the module itself. In the module, the functions that would format such a value for the error message are
// empty (scripts/shrink.mjs).
for (const [name, value] of [
  ['issuer', 1.5],
  ['issuer', true],
  ['audience', 7],
  ['audience', [Symbol('api')]],
  ['clockTolerance', 0.1],
  ['clockTolerance', NaN],
  ['maxStaleness', 2 ** 60],
  ['onStale', 'ignore'],
  ['onMissing', Infinity],
  ['cacheSize', new Uint8Array(4)],
] as const) {
  test(`the module itself refuses ${name}: ${inspect(value)}`, () => {
    assert.throws(
      () => make({ ...good, [name]: value }),
      error => isTokenError(error, 'ERR_OPTIONS_INVALID') && error.message !== '',
    )
    make(good)
  })
}
