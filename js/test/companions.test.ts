import assert from 'node:assert/strict'
import test from 'node:test'
import { isRevoked, trusted } from '../src/companions.js'
import { connectVerifier, createVerifier, isTokenError } from '../src/entrypoints/index.js'
import { createTestIssuer } from '../src/testing/index.js'

async function world() {
  const issuer = await createTestIssuer()
  const lazy = connectVerifier.lazy({ ...issuer.rules, fetch: issuer.fetch })
  const verifier = createVerifier(issuer.rules)
  verifier.load(await issuer.list())
  const { payload, protectedHeader: header } = verifier.verify(await issuer.token())
  return { issuer, lazy, verifier, payload, header }
}

test('a lazy verifier is refreshed before it is asked', async () => {
  const { lazy, payload, header } = await world()
  assert.equal(await isRevoked(lazy)({}, { payload }), false)
  assert.equal(await trusted(lazy)({}, payload), true)
  assert.equal(await trusted(lazy)({}, { header, payload, signature: '' }), true)
})

test('with `onMissing: allow` a token is accepted although a refresh failed', async () => {
  const { issuer, payload } = await world()
  const offline: typeof fetch = () => Promise.reject(new TypeError('no network'))
  const lazy = connectVerifier.lazy({ ...issuer.rules, fetch: offline, onMissing: 'allow' })
  assert.equal(await trusted(lazy)({}, payload), true)
  await assert.rejects(trusted(lazy)({}, {}), { status: 503 })
})

test('a token of a retired key is refused if its header is passed too', async () => {
  const { issuer, verifier, payload, header } = await world()
  await issuer.retireKey()
  verifier.load(await issuer.list())
  assert.equal(await trusted(verifier)({}, { header, payload }), false)
  assert.equal(await trusted(verifier)({}, payload), true)
})

test('a token without handles is refused', async () => {
  const { verifier, payload } = await world()
  for (const token of [undefined, { payload: 'text' }, { payload: {} }, { payload: { ...payload, sid: null } }])
    assert.equal(await isRevoked(verifier)({}, token), true)
  for (const decoded of [
    {},
    { header: {} },
    { header: {}, payload: null },
    { ...payload, iss: 'https://other.example' },
  ])
    assert.equal(await trusted(verifier)({}, decoded), false)
})

test('an error that the token did not cause is answered with 503, and a programming mistake is rethrown', async () => {
  const { issuer, verifier, payload } = await world()
  const offline = connectVerifier.lazy({ ...issuer.rules, fetch: () => Promise.reject(new TypeError('no network')) })
  for (const unable of [createVerifier(issuer.rules), offline]) {
    const { cause, ...said } = (await trusted(unable)({}, payload).catch((error: unknown) => error)) as Error
    assert.ok(isTokenError(cause, 'ERR_LIST_MISSING'))
    const answer = { status: 503, statusCode: 503, headers: { 'retry-after': '5' } }
    assert.deepEqual({ ...said }, { name: 'TokenError', code: cause.code, evidence: {}, ...answer })
  }
  const mistaken = { ...verifier, assertNotRevoked: () => assert.fail('a mistake') }
  await assert.rejects(isRevoked(mistaken)({}, { payload }), assert.AssertionError)
  assert.throws(
    () => trusted(Promise.resolve(verifier) as never),
    error => isTokenError(error, 'ERR_OPTIONS_INVALID'),
  )
})
