import assert from 'node:assert/strict'
import test from 'node:test'
import { guard, scopeGuard, type Outcome } from '../src/adapters/guard.js'
import { connectVerifier, createVerifier, isTokenError } from '../src/entrypoints/index.js'
import { bind } from '../src/entrypoints/slim.js'
import { createTestIssuer } from '../src/testing/index.js'
import type { AuthenticateOptions } from '../types/guard.js'
import type { LazyVerifier, Verified } from '../types/index.js'

const issuer = await createTestIssuer()
const token = await issuer.token()
const verifier = createVerifier(issuer.rules)
verifier.load(await issuer.list())

const headers =
  (given: Record<string, string>) =>
  (name: string): string | undefined =>
    given[name]

const look = (given: Record<string, string>, options?: AuthenticateOptions) => guard(verifier, options)(headers(given))
const subject = (outcome: Outcome) => ('auth' in outcome ? outcome.auth?.payload.sub : undefined)
const status = (outcome: Outcome) => outcome.refusal?.status

test('the scheme is accepted in upper and lower case, and everything after it is taken as the token', async () => {
  for (const authorization of [`Bearer ${token}`, `bearer   ${token}  `, `BEARER ${token}`])
    assert.equal(subject(await look({ authorization })), 'alice')
  for (const authorization of [
    'Bearer',
    'Bearer ',
    `Bearer x ${token}`,
    `Bearer ${token},${token}`,
    `Bearer\t${token}`,
  ]) {
    const { refusal } = await look({ authorization }, { optional: true })
    assert.deepEqual([refusal?.status, JSON.parse(refusal?.body ?? '').code], [401, 'ERR_JWS_INVALID'], authorization)
  }
  for (const authorization of ['', `Basic ${token}`, `Bearer${token}`, token]) {
    assert.equal(status(await look({ authorization })), 401)
    assert.deepEqual(await look({ authorization }, { optional: true }), { auth: undefined })
  }
})

test('the token is read from a cookie only if the option `cookie` names it and there is no header', async () => {
  const options = { cookie: '__Host-token' }
  for (const cookie of [
    `__Host-token=${token}`,
    `a=b;__Host-token="${token}"`,
    `x__Host-token=1;  __Host-token=${token} ; z`,
  ])
    assert.equal(subject(await look({ cookie }, options)), 'alice', cookie.replace(token, '…'))
  assert.equal(status(await look({ cookie: `__Host-token=${token}` })), 401)
  for (const cookie of ['', '__Host-token', '__Host-token=', '__Host-token=""', `__Host-tokens=${token}`])
    assert.deepEqual(await look({ cookie }, { ...options, optional: true }), { auth: undefined }, cookie)
  const both = { authorization: 'Bearer junk', cookie: `__Host-token=${token}` }
  assert.equal(status(await look(both, options)), 401)
})

test('a challenge is a valid header for any message', async () => {
  const loud = { ...verifier, verify: () => verifier.verify('\n"é\\') }
  const { refusal } = await guard(loud)(headers({ authorization: `Bearer ${token}` }))
  assert.match(
    refusal?.headers['www-authenticate'] ?? '',
    /^Bearer realm="doorlist", error="invalid_token", error_description="[^"\\]+"$/,
  )
})

test('a lazy verifier is refreshed with the context, a connected one is not', async () => {
  const ctx = { waitUntil: () => {} }
  const seen: unknown[] = []
  const refresh = (ctx: unknown) => Promise.resolve(void seen.push(ctx))
  const authorization = `Bearer ${token}`
  await guard({ ...verifier, refresh, isLazy: true } as unknown as LazyVerifier)(headers({ authorization }), ctx)
  assert.deepEqual(seen, [ctx])
  await guard({ ...verifier, refresh, isLazy: true } as unknown as LazyVerifier)(headers({}), ctx)
  await guard({ ...verifier, refresh } as unknown as LazyVerifier)(headers({ authorization }), ctx)
  assert.equal(seen.length, 1, 'without a token, or with a verifier that follows the list, nothing is refreshed')
})

test('without a list, with a list that is too old, without keys or without WebAssembly, the answer is 503', async () => {
  const { jwks, ...keyless } = issuer.rules
  const strict = createVerifier({ ...issuer.rules, onStale: 'deny' })
  strict.load(await issuer.list({ iat: 1_700_000_000 }))
  const unable = bind(new Uint8Array()).createVerifier
  const broken = { ...verifier, verify: () => void unable(issuer.rules) as never }
  const closed = createVerifier(issuer.rules)
  closed.close()
  for (const [at, code] of [
    [createVerifier(issuer.rules), 'ERR_LIST_MISSING'],
    [strict, 'ERR_LIST_STALE'],
    [createVerifier(keyless), 'ERR_JWKS_NO_MATCHING_KEY'],
    [broken, 'ERR_WASM_UNAVAILABLE'],
    [closed, 'ERR_VERIFIER_CLOSED'],
  ] as const) {
    const { refusal } = await guard(at)(headers({ authorization: `Bearer ${token}` }))
    assert.deepEqual([refusal?.status, JSON.parse(refusal?.body ?? '').code], [503, code])
    assert.ok(Number(refusal?.headers['retry-after']) > 0)
  }
})

test('after any failure of a refresh the answer is 503', async () => {
  const junk: typeof fetch = (url, init) =>
    String(url).endsWith('/revocations') ? Promise.resolve(new Response('junk')) : issuer.fetch(url, init)
  const lazy = connectVerifier.lazy({ ...issuer.rules, fetch: junk })
  const { refusal } = await guard(lazy)(headers({ authorization: `Bearer ${token}` }))
  assert.deepEqual([refusal?.status, JSON.parse(refusal?.body ?? '').code], [503, 'ERR_LIST_INVALID'])
})

test('with `onMissing: allow` a token is accepted although a refresh failed', async () => {
  const offline: typeof fetch = () => Promise.reject(new TypeError('no network'))
  const lazy = connectVerifier.lazy({ ...issuer.rules, fetch: offline, onMissing: 'allow' })
  assert.equal(subject(await guard(lazy)(headers({ authorization: `Bearer ${token}` }))), 'alice')
  assert.equal(status(await guard(lazy)(headers({ authorization: 'Bearer junk' }))), 503)
})

test('a programming mistake is thrown, not answered with 401', async () => {
  const mistaken = {
    ...verifier,
    verify: () => {
      throw new RangeError('a mistake')
    },
  }
  await assert.rejects(guard(mistaken)(headers({ authorization: 'Bearer x' })), RangeError)
})

test('the error names an option that is unknown or has an invalid value', () => {
  const refused = (call: () => unknown, message: RegExp) =>
    assert.throws(call, error => isTokenError(error, 'ERR_OPTIONS_INVALID') && message.test(error.message))
  refused(() => guard(Promise.resolve(verifier) as never), /`connectVerifier` must be awaited/)
  refused(() => guard(undefined as never), /`verifier` must be/)
  refused(() => guard(verifier, { cookies: 'a' } as never), /did you mean `cookie`/)
  for (const cookie of ['', 'a b', 'a=b', 'a;b', 7] as never[])
    refused(() => guard(verifier, { cookie }), /`cookie` must be/)
  refused(() => guard(verifier, { optional: 1 } as never), /`optional` must be/)
  for (const scopes of [[], [''], ['a b'], ['a"'], [7], [['admin']]] as never[])
    refused(() => scopeGuard(scopes), /at least one scope/)
})

test('a scope is a whole word of the claim', () => {
  const needs = scopeGuard(['read'])
  const having = (scope?: string) => ({ payload: { scope } }) as unknown as Verified
  for (const scope of ['read', 'write read', 'read write']) assert.equal(needs(having(scope)), undefined)
  for (const scope of [undefined, '', 'reader', 'READ', 'pread']) assert.equal(needs(having(scope))?.status, 403)
  assert.equal(needs(undefined)?.status, 401)
  const inherited = { scope: 'read' }
  Object.assign(Object.prototype, inherited)
  try {
    assert.equal(needs({ payload: {} } as unknown as Verified)?.status, 403)
  } finally {
    delete (Object.prototype as Partial<typeof inherited>).scope
  }
  const needsBoth = scopeGuard(['read', 'write'])
  assert.equal(needsBoth(having('write x read')), undefined)
  for (const scope of ['read', 'write']) assert.equal(needsBoth(having(scope))?.status, 403)
})
