// B10: only one spelling of an issuer's URL is valid. The tests of the issuer's configuration use the same vectors
// (`issuer/src/config/tests.rs`).
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { makeConnectVerifier } from '../src/api.js'
import { isTokenError } from '../src/errors.js'
import { createSession, isSessionError } from '../src/session/index.js'
import { createTestIssuer } from '../src/testing/index.js'
import { FakeHost, fakeModule } from './fakes.js'

interface Spellings {
  readonly accepted: readonly string[]
  readonly respelt: readonly (readonly [written: string, canonical: string])[]
  readonly refused: readonly string[]
}

const vectors = new URL('../../tests/vectors/spelling/issuers.json', import.meta.url)
const { accepted, respelt, refused }: Spellings = JSON.parse(readFileSync(vectors, 'utf8'))
const connectVerifier = makeConnectVerifier(fakeModule, new FakeHost())
/** Answers every request with 404, so that a start fails at its first request. */
const fetch = async () => new Response(null, { status: 404 })

/** All functions of the package that take the URL of an issuer. */
const takers: Record<string, (issuer: string) => Promise<unknown>> = {
  connectVerifier: async issuer => connectVerifier({ issuer, audience: 'api', fetch }),
  'connectVerifier.lazy': async issuer => connectVerifier.lazy({ issuer, audience: 'api', fetch }).close(),
  createTestIssuer: async issuer => createTestIssuer({ issuer }),
  createSession: async issuer => createSession({ issuer, storage: 'memory', fetch }).close(),
}

async function messageFor(take: (issuer: string) => Promise<unknown>, issuer: string): Promise<string> {
  let message = ''
  await assert.rejects(take(issuer), error => {
    if (!isTokenError(error, 'ERR_OPTIONS_INVALID') && !isSessionError(error, 'ERR_OPTIONS_INVALID')) return false
    message = error.message
    return error.evidence['option'] === 'issuer'
  })
  return message
}

for (const [name, take] of Object.entries(takers)) {
  test(`B10: ${name} refuses another spelling of an issuer, and the error names the right one`, async () => {
    assert.ok(respelt.length > 0)
    for (const [written, canonical] of respelt) {
      const message = await messageFor(take, written)
      assert.ok(message.endsWith(`; write ${canonical}`), `${written}: ${message}`)
    }
  })

  test(`B10: ${name} refuses a text that is not an issuer, and its error repeats no possible secret`, async () => {
    assert.ok(refused.length > 0)
    for (const written of refused) assert.doesNotMatch(await messageFor(take, written), /hunter2/, written)
  })
}

test('B10: the canonical spelling is accepted', async () => {
  for (const issuer of [...accepted, ...respelt.map(([, canonical]) => canonical)]) {
    connectVerifier.lazy({ issuer, audience: 'api', fetch }).close()
    createSession({ issuer, storage: 'memory', fetch }).close()
    await createTestIssuer({ issuer })
  }
})
