import assert from 'node:assert/strict'
import test from 'node:test'
import { makeConnectVerifier, makeCreateVerifier } from '../src/api.js'
import { isTokenError } from '../src/errors.js'
import type { Instantiate } from '../src/wasm.js'
import { FakeHost, FakeNetwork, fakeModule } from './fakes.js'

const createVerifier = makeCreateVerifier(fakeModule, new FakeHost())
const connectVerifier = makeConnectVerifier(fakeModule, new FakeHost())
const good = { issuer: 'https://issuer.example', audience: 'api' }

const refusals: [options: unknown, message: RegExp][] = [
  [undefined, /must be an object/],
  [[], /must be an object/],
  [{}, /`issuer` is missing/],
  [{ issuer: 'x' }, /`audience` is missing.*`null` accepts any audience/],
  [{ ...good, audience: [] }, /`audience` must be/],
  [{ ...good, audience: ['api', ''] }, /`audience` must be/],
  [{ ...good, issuer: 7 }, /`issuer` must be/],
  [{ ...good, clockTolerence: 5 }, /unknown option `clockTolerence`; did you mean `clockTolerance`\?/],
  [{ ...good, maxstaleness: 5 }, /did you mean `maxStaleness`\?/],
  [{ ...good, colour: 'red' }, /unknown option `colour`; the options are issuer, audience,/],
  [{ ...good, ['__proto__']: 1 }, /unknown option `__proto__`/],
  [{ ...good, clockTolerance: '5s' }, /`clockTolerance` must be whole seconds/],
  [{ ...good, maxStaleness: -1 }, /`maxStaleness` must be/],
  [{ ...good, outageGrace: Infinity }, /`outageGrace` must be/],
  [{ ...good, onStale: 'ignore' }, /`onStale` must be 'allow' or 'deny'/],
  [{ ...good, onMissing: true }, /`onMissing` must be 'deny' or 'allow'/],
  [{ ...good, jwks: '{}' }, /`jwks` must be a JSON Web Key Set/],
  [{ ...good, cacheSize: 1.5 }, /`cacheSize` must be a whole number/],
]

for (const [options, message] of refusals) {
  test(`invalid options are refused: ${JSON.stringify(options)}`, () => {
    assert.throws(
      () => createVerifier(options as never),
      error => isTokenError(error, 'ERR_OPTIONS_INVALID') && message.test(error.message),
    )
  })
}

test('an option with the value undefined counts as absent', () => {
  createVerifier({ ...good, clockTolerance: undefined } as never)
  createVerifier({ ...good, audience: null })
})

test('connectVerifier has more options, and requires a URL as issuer', async () => {
  const { fetch } = new FakeNetwork()
  for (const [more, message] of [
    [{ issuer: 'issuer.example' }, /`issuer` must be an http\(s\) URL/],
    [{ issuer: 'https://issuer.example?x' }, /`issuer` must be an http\(s\) URL/],
    [{ transport: 'websocket' }, /`transport` must be 'auto' or 'poll'/],
    [{ fetch: 'node-fetch' }, /`fetch` must be a function/],
    [{ store: { get() {} } }, /`store` must be an object with the functions `get` and `set`/],
    [{ connectTimout: 3 }, /did you mean `connectTimeout`\?/],
  ] as const) {
    const options = { ...good, fetch, ...more } as never
    await assert.rejects(
      connectVerifier(options),
      error => isTokenError(error, 'ERR_OPTIONS_INVALID') && message.test(error.message),
    )
    assert.throws(
      () => connectVerifier.lazy(options),
      error => isTokenError(error, 'ERR_OPTIONS_INVALID'),
    )
  }
  assert.throws(() => createVerifier({ ...good, fetch } as never), /unknown option `fetch`/)
})

test('options are read once, and inherited options are ignored', () => {
  const reads: string[] = []
  const changing = {
    issuer: good.issuer,
    get audience() {
      reads.push('audience')
      return reads.length === 1 ? 'api' : null
    },
  }
  createVerifier(changing)
  assert.deepEqual(reads, ['audience'])
  assert.throws(() => createVerifier(Object.create(good)), /`issuer` is missing/)
})

test('a polluted prototype sets no option', async () => {
  const given: object[] = []
  const spy: Instantiate = options => {
    given.push(options)
    return fakeModule(options)
  }
  const polluted = { onMissing: 'allow', jwks: { keys: 'of a stranger' } }
  Object.assign(Object.prototype, polluted)
  try {
    makeCreateVerifier(spy, new FakeHost())(good)
    makeConnectVerifier(spy, new FakeHost()).lazy(good)
  } finally {
    for (const name of Object.keys(polluted)) delete (Object.prototype as Record<string, unknown>)[name]
  }
  assert.deepEqual(given.map(Object.keys), [Object.keys(good), Object.keys(good)])
})
