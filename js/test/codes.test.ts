// The error codes are listed in five places. All lists must be equal.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { TokenError, codes, isTokensFault } from '../src/errors.js'
import type { Code } from '../types/index.js'

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8')
const codesIn = (text: string) => new Set(text.match(/\bERR_(?!SESSION_)[A-Z_]+\b/g))
const sorted = (names: Iterable<string>) => [...new Set(names)].sort()

const format = (await read('verifier-wasm/FORMAT.md')).split(/^## 9\. .*$/m)[1]!.split(/^## /m)[0]!
const crate = JSON.parse(await read('tests/vectors/messages/errors.json')) as { code: string }[]

test('the name of each code is equal to its value', () => {
  for (const [name, code] of Object.entries(codes)) assert.equal(name, code)
})

test('FORMAT.md has a row for each code of the crate, and also names the codes of the package', () => {
  const rows = sorted([...format.matchAll(/^\| `(ERR_\w+)`/gm)].map(([, code]) => code!))
  assert.deepEqual(rows, sorted(crate.map(({ code }) => code)))
  assert.deepEqual(sorted(codesIn(format)), sorted(Object.keys(codes)))
})

test('the README and the types explain every code', async () => {
  const readme = (await read('js/README.md')).split(/^### Errors$/m)[1]!.split(/^##/m)[0]!
  assert.deepEqual(sorted(codesIn(readme)), sorted(Object.keys(codes)))
  const evidence = (await read('js/types/errors.d.ts')).split('interface EvidenceByCode')[1]!.split(/^}/m)[0]!
  assert.deepEqual(sorted(codesIn(evidence)), sorted(Object.keys(codes)))
})

test('isTokensFault is true for the codes that jose has too, except while no key is trusted', () => {
  const blamed = Object.values(codes).filter(code => isTokensFault(new TokenError(code, '', {})))
  const about = /^ERR_(JOSE|JWS|JWT)_|^ERR_JWKS_NO_MATCHING_KEY$/
  assert.deepEqual(
    blamed,
    Object.values(codes).filter(code => about.test(code)),
  )
  const unknownKey = (trusted: number) => new TokenError('ERR_JWKS_NO_MATCHING_KEY', '', { kid: 'k', trusted })
  assert.deepEqual(
    [0, 1].map(trusted => isTokensFault(unknownKey(trusted))),
    [false, true],
  )
  assert.equal(isTokensFault(unknownKey(1).toJSON()), true)
  for (const other of [new Error('ERR_JWT_EXPIRED'), undefined, 'ERR_JWT_EXPIRED', { code: 'ERR_JWT_EXPIRED' as Code }])
    assert.equal(isTokensFault(other), false)
})
