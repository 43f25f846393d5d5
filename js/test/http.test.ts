import assert from 'node:assert/strict'
import test from 'node:test'
import { makeConnectVerifier } from '../src/api.js'
import { isTokenError } from '../src/errors.js'
import { FakeHost, ISSUER, fakeModule } from './fakes.js'

const TIMEOUT = 3_000
/** The time limit of one request, in milliseconds. */
const REQUEST = 10_000

function connecting(fetch: typeof globalThis.fetch) {
  const host = new FakeHost()
  const connect = makeConnectVerifier(fakeModule, host)
  return { host, verifier: connect({ issuer: ISSUER, audience: 'api', fetch, connectTimeout: TIMEOUT / 1000 }) }
}

test('a `fetch` that ignores signals does not delay the timeout', async () => {
  const { host, verifier } = connecting(() => new Promise(() => {}))
  const rejected = assert.rejects(verifier, error => isTokenError(error, 'ERR_LIST_MISSING'))
  await host.waits(REQUEST)
  host.elapse(TIMEOUT)
  await rejected
  await host.idle()
})

test('the late answer of such a `fetch` is cancelled', async () => {
  let answer = (_: Response) => {}
  const fetch = () => new Promise<Response>(resolve => (answer = resolve))
  const { host, verifier } = connecting(fetch)
  const rejected = assert.rejects(verifier)
  await host.waits(REQUEST)
  host.elapse(TIMEOUT)
  await rejected
  const cancelled = new Promise<void>(cancel => answer(new Response(new ReadableStream({ cancel: () => cancel() }))))
  await cancelled
})
