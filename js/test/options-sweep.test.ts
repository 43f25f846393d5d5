// A value that looks like a setting but would have no effect must be refused. A configuration can easily contain such a
// value. The tests pass such values to each option of each function.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { authenticate as onExpress, requireScope } from '../src/adapters/express.js'
import { authenticate as onFastify } from '../src/adapters/fastify.js'
import { authenticate as onHono } from '../src/adapters/hono.js'
import { isRevoked, trusted } from '../src/companions.js'
import { bind } from '../src/entrypoints/slim.js'
import { createSession } from '../src/session/index.js'
import { fileStore } from '../src/stores/file.js'
import { cacheStore, indexedDbStore, kvStore } from '../src/stores/index.js'
import { createTestIssuer } from '../src/testing/index.js'

const { createVerifier, connectVerifier } = bind(readFileSync(new URL('../wasm/verifier.wasm', import.meta.url)))
const issuer = await createTestIssuer()
const { jwks } = issuer.rules
const verifier = createVerifier(issuer.rules)
verifier.load(await issuer.list())
const token = await issuer.token()

const rules = { issuer: 'https://id.example', audience: 'api' }
const rsa = { kty: 'RSA', n: 'AQAB', e: 'AQAB', alg: 'RS256' }
/** Values that no option accepts. */
const NOTHING = ['', null, NaN, [], {}, false] as const
const seconds = [...NOTHING, '5', -1, 0.5, Infinity, 10n, [5]]
const ofVerifier: Record<string, readonly unknown[]> = {
  issuer: [...NOTHING, undefined, ' '.trim(), ['https://id.example'], new URL('https://id.example')],
  audience: ['', undefined, NaN, [], {}, false, [''], ['api', ''], [undefined], new Array(1), new Set(['api'])],
  jwks: [
    '',
    null,
    NaN,
    [],
    false,
    '{}',
    { keys: [] },
    { keys: [rsa] },
    { keys: [{}] },
    jwks.keys,
    JSON.stringify(jwks),
  ],
  clockTolerance: seconds,
  maxStaleness: seconds,
  outageGrace: seconds,
  cacheSize: seconds,
  onStale: [...NOTHING, 'Deny', 'refuse', true],
  onMissing: [...NOTHING, 'Allow', true],
}
const ofConnect: Record<string, readonly unknown[]> = {
  ...ofVerifier,
  issuer: [...ofVerifier['issuer']!, 'id.example', '//id.example', 'https://id.example?', 'https://a:b@id.example'],
  connectTimeout: [...seconds, 0],
  transport: [...NOTHING, 'Poll', 'stream'],
  fetch: [...NOTHING, 'fetch', Promise.resolve(fetch)],
  store: [...NOTHING, { get() {} }, { set() {} }, Promise.resolve(new Map()), '/var/lib/lists'],
}
const ofSession: Record<string, readonly unknown[]> = {
  issuer: [...NOTHING, undefined, 'id.example', 'https://id.example?x', ['https://id.example']],
  clientId: [...NOTHING, 7],
  storage: [...NOTHING, 'Cookie', 'local', { get() {}, set() {} }],
  origins: [
    ...NOTHING,
    'https://api.example',
    [''],
    [null],
    [undefined],
    new Array(1),
    ['https://api.example/'],
    ['*'],
  ],
  verifier: [...NOTHING, Promise.resolve(verifier), { on() {} }],
  fetch: [...NOTHING, 'fetch'],
}

const tables: [name: string, good: object, table: typeof ofVerifier, make: (options: object) => unknown][] = [
  ['createVerifier', rules, ofVerifier, options => createVerifier(options as never)],
  ['connectVerifier', rules, ofConnect, options => connectVerifier(options as never)],
  ['connectVerifier.lazy', rules, ofConnect, options => connectVerifier.lazy(options as never)],
  ['createSession', { issuer: rules.issuer }, ofSession, options => createSession(options as never)],
  [
    'authenticate of Express',
    {},
    { cookie: [...NOTHING, 'a b', 7], optional: ['', null, NaN, [], {}, 'false', 1] },
    options => onExpress(verifier, options),
  ],
  [
    'createTestIssuer',
    {},
    { issuer: [...NOTHING, 'id'], audience: [...NOTHING, ['api']] },
    options => createTestIssuer(options),
  ],
]
const refused = async (what: string, make: () => unknown) =>
  assert.rejects(
    async () => make(),
    (error: { code?: unknown; message: string }) => {
      assert.equal(error.code, 'ERR_OPTIONS_INVALID', `${what}: ${error}`)
      return true
    },
    `${what} is accepted`,
  )
const shown = (value: unknown) => {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}

for (const [name, good, table, make] of tables) {
  test(`D4: ${name} refuses every empty or invalid value, and every misspelt name`, async () => {
    for (const [option, values] of Object.entries(table)) {
      for (const value of values) await refused(`${option}: ${shown(value)}`, () => make({ ...good, [option]: value }))
      for (const misspelt of [option.toUpperCase(), `${option}s`, `${option} `])
        if (!(misspelt in table)) await refused(misspelt, () => make({ ...good, [misspelt]: undefined }))
    }
    for (const inherited of ['constructor', 'toString', '__proto__', 'hasOwnProperty'])
      await refused(inherited, () => make({ ...good, [inherited]: 1 }))
    if (Object.keys(good).length > 0)
      for (const none of [undefined, null, [], '', 7]) await refused(shown(none), () => make(none as never))
  })
}

test('D4: empty and invalid arguments are refused', async () => {
  const calls: Record<string, (value: never) => unknown> = {
    fileStore,
    kvStore: kvStore,
    'issuer.token': claims => issuer.token(claims),
    'issuer.list': claims => issuer.list(claims),
    'issuer.revoke': sub => issuer.revoke(sub),
    'express authenticate': onExpress,
    'fastify authenticate': onFastify,
    'hono authenticate': onHono,
    isRevoked,
    trusted,
  }
  for (const [name, call] of Object.entries(calls))
    for (const value of ['', null, 7, []]) await refused(`${name}(${shown(value)})`, () => call(value as never))
  for (const value of ['', null, 7, {}, { match() {} }]) await refused('cacheStore', () => cacheStore(value as never))
  for (const value of ['', null, 7]) await refused('indexedDbStore', () => indexedDbStore(value as never))
  await refused('kvStore', () => kvStore({ get() {} } as never))
  await refused('issuer.token', () => issuer.token('bob' as never))
  for (const scope of ['', null, ['a'], 'a b']) await refused('requireScope', () => requireScope(scope as never))
  for (const at of [new Date(), { currentdate: new Date() }, { currentDate: 7 }, { currentDate: NaN }, { now: 1 }])
    await refused(`verify at ${shown(at)}`, () => verifier.verify(token, at as never))
})

test('D4: a key set with a usable key is accepted, although it also has keys of other kinds', () => {
  createVerifier({ ...rules, jwks: { keys: [rsa, ...jwks.keys] } })
  createVerifier({ ...rules, jwks: undefined } as never)
})
