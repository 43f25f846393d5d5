// C4: the built package uses only features that every supported platform has (seen in the field:
// rustwasm/wasm-bindgen#3066). Each platform must support ES2022, because scripts/build.mjs compiles the syntax to
// ES2022. React Native compiles the syntax further. test/platforms.test.ts tests the package without the globals that
// some platforms lack.
import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { js } from './consumer.mjs'
import { usedIn } from './newer.mjs'

/**
 * The globals that every platform has. The text after a global lists the members that the package is allowed to use.
 */
const GIVEN = {
  globalThis: '',
  Array: 'from isArray of prototype',
  ArrayBuffer: 'isView prototype',
  BigInt: 'asIntN asUintN',
  DataView: 'prototype',
  Date: 'now prototype UTC',
  Error: 'prototype',
  Float64Array: '',
  Infinity: '',
  JSON: 'parse stringify',
  Map: '',
  Math: 'abs ceil floor max min random round trunc',
  NaN: '',
  Number: 'isFinite isInteger isNaN isSafeInteger MAX_SAFE_INTEGER parseFloat parseInt',
  Object:
    'assign create defineProperty entries freeze fromEntries getOwnPropertyDescriptor getOwnPropertyNames getPrototypeOf hasOwn keys prototype values',
  Promise: 'all allSettled any race reject resolve',
  RangeError: '',
  Reflect: 'get',
  Set: '',
  String: 'fromCharCode fromCodePoint',
  Symbol: 'asyncIterator for iterator toStringTag',
  TypeError: '',
  Uint8Array: 'from of prototype',
  console: 'error warn',
  decodeURIComponent: '',
  encodeURIComponent: '',
  clearTimeout: '',
  queueMicrotask: '',
  setTimeout: '',
}

/** The globals that some platforms lack. The text after a global says how the package works without this global. */
const GUARDED = {
  AbortController: '`mustHave` names it',
  BroadcastChannel: 'in `try`: without it a session or page is alone',
  Buffer: 'asked, before atob',
  FinalizationRegistry: '`typeof`: without it a verifier is freed by `close()`',
  ReadableStream: 'only in the answers of doorlist/testing',
  Request: 'asked with `?.`: without it `cache` is not sent',
  'Request.prototype': 'likewise',
  Response: 'only in the answers of doorlist/testing and doorlist/hono, and beside `caches`',
  TextDecoder: '`mustHave` names it',
  TextEncoder: '`mustHave` names it',
  URL: '`mustHave` names it; no static function of it',
  WebAssembly: 'ERR_WASM_UNAVAILABLE where it is missing',
  'WebAssembly.Instance': 'likewise',
  'WebAssembly.Module': 'likewise',
  addEventListener: 'asked with `?.`',
  atob: '`mustHave` names it',
  btoa: '`mustHave` names it',
  caches: '`mustHave` names it, and only `cacheStore` wants it',
  'caches.default': 'asked: only Workers have it',
  'caches.open': 'where there is no `caches.default`',
  crypto: 'only in doorlist/testing, where `mustHave` names it',
  'crypto.subtle': 'likewise',
  document: 'asked with `?.`',
  fetch: '`mustHave` names it where none is given',
  indexedDB: '`mustHave` names it, and only `indexedDbStore` wants it',
  'indexedDB.open': 'likewise',
  localStorage: 'in `try`: without it tabs are not told',
  location: 'asked with `?.`',
  'location.origin': 'likewise',
  module: 'of CommonJS',
  'module.exports': 'likewise',
  navigator: 'asked with `?.`',
  'navigator.locks': 'without them a verifier polls, and a session does without locks',
  performance: '`mustHave` names it',
  'performance.now': 'likewise',
  'performance.getEntriesByType': 'asked with `?.`',
  removeEventListener: 'asked with `?.`',
  require: 'of CommonJS',
  'Symbol.dispose': 'asked: without it there is no `using`',
  toString: 'of wasm-bindgen: Object.prototype is the last prototype of the global object',
  'toString.call': 'likewise',
  '.detached': 'of wasm-bindgen: compared with `true`, and lengths are compared besides',
  '.fromBase64': 'asked with `?.`, before atob',
}

/**
 * The members that were added to ordinary objects after ES2022, and members of some web APIs that not all platforms
 * have. Some of these names are not listed, because older objects, or objects of the package, have the same names (for
 * example `take` of iterators). In src/, tsc with `lib` ES2022 finds uses of the names that are not listed.
 */
const NEWER = {
  Array: 'findLast findLastIndex toReversed toSorted toSpliced with fromAsync',
  ArrayBuffer: 'detached maxByteLength resizable resize transfer transferToFixedLength',
  Uint8Array: 'fromBase64 fromHex setFromBase64 setFromHex toBase64 toHex',
  Map: 'getOrInsert getOrInsertComputed groupBy',
  Set: 'difference intersection isDisjointFrom isSubsetOf isSupersetOf symmetricDifference union',
  String: 'isWellFormed toWellFormed',
  Iterator: 'toArray',
  Promise: 'withResolvers',
  AbortSignal: 'throwIfAborted',
  Response: 'bytes textStream',
  URL: 'canParse',
}
const newer = new Set(
  Object.values(NEWER)
    .flatMap(names => names.split(' '))
    .map(name => `.${name}`),
)

const isGiven = use => {
  const [global, member] = use.split('.')
  return Object.hasOwn(GIVEN, global) && (member === undefined || GIVEN[global].split(' ').includes(member))
}
const surplusOf = uses => [...uses].filter(use => (use.startsWith('.') ? newer.has(use) : !isGiven(use)))

test('C4: the built files use no feature that a supported platform lacks, except behind a guard', async () => {
  const dist = join(js, 'dist')
  const files = (await readdir(dist)).filter(name => /\.c?js$/.test(name))
  assert.ok(files.length >= 22, `${files.length} files`)
  const needed = new Set()
  for (const file of files)
    for (const use of surplusOf(usedIn(await readFile(join(dist, file), 'utf8')))) {
      assert.ok(Object.hasOwn(GUARDED, use), `dist/${file} uses ${use}: guard it and say how in GUARDED, or do without`)
      needed.add(use)
    }
  assert.deepEqual(
    Object.keys(GUARDED).filter(use => !needed.has(use)),
    [],
    'these entries of GUARDED are no longer used',
  )
})

for (const [source, uses] of [
  ['URL.canParse(x)', ['URL', 'URL.canParse', '.canParse']],
  ['let found; found?.signal.throwIfAborted()', ['.throwIfAborted']],
  ['AbortSignal.any([])', ['AbortSignal', 'AbortSignal.any']],
  ['globalThis.AbortSignal?.timeout(1)', ['AbortSignal', 'AbortSignal.timeout']],
  ['globalThis["structuredClone"](1)', ['structuredClone']],
  ['const { scheduler } = globalThis', ['scheduler']],
  ['const { groupBy } = Object', ['Object.groupBy']],
  ['Promise.withResolvers()', ['Promise.withResolvers', '.withResolvers']],
  ['[].toSorted()', ['.toSorted']],
  ['(function () { var structuredClone = 1 })(); structuredClone(2)', ['structuredClone']],
  ['const f = (navigator = structuredClone) => navigator.locks', ['structuredClone']],
  ['class URL {} URL.canParse = 1', ['.canParse']],
  ['export const at = { fetch: 1 }, b = at.fetch', []],
])
  test(`C4: in \`${source}\` that check finds ${uses.join(', ') || 'nothing'}`, () => {
    const found = surplusOf(usedIn(source)).filter(use => use !== 'x')
    assert.deepEqual(found.sort(), uses.sort())
  })
