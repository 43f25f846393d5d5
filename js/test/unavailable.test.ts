import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import vm from 'node:vm'
import { bind } from '../src/entrypoints/slim.js'
import { isTokenError } from '../src/errors.js'
import { unavailable } from '../src/unavailable.js'

const js = new URL('..', import.meta.url)
const making = `import('./dist/index.js').then(({ createVerifier }) => {
  try { createVerifier({ issuer: 'https://id.example', audience: null }); console.log('{}') }
  catch (error) { console.log(JSON.stringify({ ...error.toJSON(), cause: String(error.cause) })) }
})`

/** Runs the built package in another Node process. Returns the error that the other process reports. */
function said(command: string, ...args: string[]): { code?: string; message: string; evidence: { reason: string } } {
  const { stdout, stderr } = spawnSync(command, [...args], { cwd: js, encoding: 'utf8' })
  assert.notEqual(stdout, '', stderr)
  return JSON.parse(stdout)
}

test('C9: the reason of the error is no_webassembly in an engine without it (Node --jitless)', () => {
  const { code, message, evidence } = said(process.execPath, '--jitless', '-e', making)
  assert.deepEqual([code, evidence.reason], ['ERR_WASM_UNAVAILABLE', 'no_webassembly'])
  assert.match(message, /has no WebAssembly \(Node with --jitless/)
  assert.doesNotMatch(message, /Content-Security-Policy/)
})

// Node reserves gigabytes of address space for a WebAssembly memory. The test limits the address space with `ulimit
// -v`, which works only on Linux.
test(
  'C9: the reason of the error is memory if there is too little address space',
  { skip: process.platform !== 'linux' && 'no ulimit -v' },
  () => {
    const limited = ['-c', 'ulimit -v 3000000; exec "$0" -e "$1"', process.execPath, making]
    const { message, evidence } = said('sh', ...limited)
    assert.equal(evidence.reason, 'memory')
    assert.match(message, /address space; raise the limit of the process \(`ulimit -v`/)
  },
)

test('C9: the reason of the error is code_generation in a runtime that forbids it', () => {
  const context = vm.createContext(
    { TextDecoder, TextEncoder, performance },
    { codeGeneration: { strings: true, wasm: false } },
  )
  const module = { exports: {} as typeof import('../src/entrypoints/index.js') }
  const source = readFileSync(new URL('dist/index.cjs', js), 'utf8')
  Object.assign(context, { Buffer })
  vm.runInContext(`(function (module, exports) { ${source} })`, context)(module, module.exports)
  assert.throws(
    () => module.exports.createVerifier({ issuer: 'x', audience: null }),
    error => isTokenError(error, 'ERR_WASM_UNAVAILABLE') && error.evidence['reason'] === 'code_generation',
  )
})

test('C9: the reasons of the error are bytes for bytes that are not WebAssembly, and version for another version', () => {
  const options = { issuer: 'x', audience: null }
  const empty = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
  for (const [source, reason] of [
    [new TextEncoder().encode('<!doctype html>'), 'bytes'],
    [empty, 'version'],
  ] as const)
    assert.throws(
      () => bind(source).createVerifier(options),
      error => isTokenError(error, 'ERR_WASM_UNAVAILABLE') && error.evidence['reason'] === reason,
    )
})

// Error messages of engines that are not installed here. The tests in packaging/ use real pages of Chromium and
// Firefox.
for (const [name, message, reason] of [
  [
    'CompileError',
    "WebAssembly.Module(): violates the following Content Security policy directive because 'unsafe-eval' is not an allowed source",
    'csp',
  ],
  ['CompileError', 'call to WebAssembly.Module() blocked by CSP', 'csp'],
  [
    'EvalError',
    "Refused to create a WebAssembly object because 'unsafe-eval' or 'wasm-unsafe-eval' is not an allowed source",
    'csp',
  ],
  ['RangeError', 'WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance', 'memory'],
  ['LinkError', 'WebAssembly.Instance(): Import #0 "env" "f": function import requires a callable', 'version'],
  ['CompileError', 'WebAssembly.Module(): invalid value type', 'engine'],
] as const) {
  test(`C9: ${name}: ${message.slice(0, 60)}… is ${reason}`, () => {
    const cause = Object.assign(new Error(message), { name })
    const error = unavailable(cause)
    assert.equal(error.evidence['reason'], reason)
    assert.equal(error.cause, cause)
    assert.equal(/'wasm-unsafe-eval'/.test(error.message), reason === 'csp')
  })
}
