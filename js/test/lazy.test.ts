import assert from 'node:assert/strict'
import test from 'node:test'
import { makeConnectVerifier } from '../src/api.js'
import { isTokenError } from '../src/errors.js'
import type { Instantiate } from '../src/wasm.js'
import type { ConnectOptions } from '../types/index.js'
import {
  Context,
  FakeHost,
  FakeNetwork,
  ISSUER,
  METADATA,
  METADATA_URL,
  fakeModule,
  interruptible,
  list,
  settle,
  since,
  told,
} from './fakes.js'

const LIST = since.bind(null, METADATA.revocation_list_uri)
const STREAM = since.bind(null, METADATA.revocation_stream_uri)
const HOLD = 25_000

function lazy(options: Partial<ConnectOptions> = {}, module: Instantiate = fakeModule) {
  const network = new FakeNetwork()
  const host = new FakeHost()
  const connect = makeConnectVerifier(module, host)
  const verifier = connect.lazy({ issuer: ISSUER, audience: 'api', fetch: network.fetch, ...options })
  return { network, host, verifier }
}

async function warm(options: Partial<ConnectOptions> = {}, module?: Instantiate) {
  const parts = lazy(options, module)
  const ctx = new Context()
  const first = parts.verifier.refresh(ctx)
  await parts.network.begin(list(1))
  await first
  return { ...parts, ctx }
}

test('a lazy verifier does nothing before the first request', async () => {
  const { network, host, verifier } = lazy()
  assert.deepEqual(network.log, [])
  await host.idle()
  assert.equal(verifier.status().mode, 'request')
  assert.equal(verifier.status().asOf, null)
})

test('the first request waits for a list, and keeps the stream open after its answer', async () => {
  const { network, host, verifier, ctx } = await warm()
  assert.equal(verifier.status().sequence, 1)
  const stream = await network.request(STREAM(1))
  stream.open()
  const change = new Promise(resolve => verifier.on('change', resolve))
  stream.send(list(2, { since: 1 }))
  await change
  assert.equal(verifier.status().mode, 'stream')
  host.elapse(1)
  stream.send(list(2, { since: 2, iat: 1_700_000_500 }))
  host.elapse(HOLD)
  await Promise.all(ctx.put)
  await stream.aborted
  await host.idle()
  assert.equal(verifier.status().mode, 'request')
})

test('later requests return at once, and one of them renews the stream', async () => {
  const { network, host, verifier, ctx } = await warm()
  const stream = await network.request(STREAM(1))
  stream.open()
  const meanwhile = new Context()
  await verifier.refresh(meanwhile)
  assert.equal(meanwhile.put.length, 0)
  await settle()
  host.elapse(10_000)
  const change = told(verifier, 'change')
  stream.send(list(2, { since: 1 }))
  await change
  await settle()
  host.elapse(10_000)
  const again = told(verifier, 'change')
  stream.send(list(3, { since: 2 }))
  await again
  await settle()
  host.elapse(HOLD - 20_000)
  await Promise.all(ctx.put)
  const [next, another] = [new Context(), new Context()]
  await verifier.refresh(next)
  await verifier.refresh(another)
  assert.deepEqual([next.put.length, another.put.length], [1, 0])
})

test('a refresh that was cut off with its request does not block the next ones for long', async () => {
  const { host, verifier } = await warm()
  const soon = new Context()
  await verifier.refresh(soon)
  assert.equal(soon.put.length, 0)
  host.elapse(36_000)
  const later = new Context()
  await verifier.refresh(later)
  assert.equal(later.put.length, 1)
})

test('without a stream, requests ask for the list once per ttl', async () => {
  const { network, host, verifier, ctx } = await warm()
  ;(await network.request(STREAM(1))).text('no', { status: 404 })
  await Promise.all(ctx.put)
  const early = new Context()
  await verifier.refresh(early)
  assert.equal(early.put.length, 0)
  host.elapse(10_000)
  const due = new Context()
  await verifier.refresh(due)
  ;(await network.request(METADATA_URL)).json(METADATA)
  ;(await network.request(LIST(1))).text(list(4, { since: 1 }))
  await Promise.all(due.put)
  assert.equal(verifier.status().sequence, 4)
  assert.equal(network.count(STREAM(1)), 1)
})

test('without a context a request waits only if the list is due', async () => {
  const { network, host, verifier } = lazy({ transport: 'poll' })
  const first = verifier.refresh()
  await network.begin(list(1))
  await first
  await verifier.refresh()
  host.elapse(10_000)
  const due = verifier.refresh()
  ;(await network.request(LIST(1))).text(list(2, { since: 1 }))
  await due
  assert.equal(verifier.status().sequence, 2)
  await host.idle()
})

test('a first request that gets no list fails, and requests in the next five seconds do not ask again (field: clerk/javascript#7912)', async () => {
  const { network, verifier, host } = lazy()
  const first = verifier.refresh(new Context())
  ;(await network.request(METADATA_URL)).refuse()
  const refused = (error: unknown) => isTokenError(error, 'ERR_LIST_MISSING') && /refused/.test(error.message)
  await assert.rejects(first, refused)
  await assert.rejects(verifier.refresh(new Context()), refused)
  assert.equal(network.log.length, 1)
  host.elapse(5_000)
  const second = verifier.refresh(new Context())
  await network.begin(list(1))
  await second
  assert.equal(verifier.status().sequence, 1)
})

test('each cold request asks on its own: it does not wait for a promise of another request', async () => {
  const { network, verifier } = lazy()
  const requests = [verifier.refresh(), verifier.refresh()]
  const abandoned = await network.request(METADATA_URL)
  await network.begin(list(1))
  await requests[1]
  abandoned.refuse()
  await assert.rejects(requests[0]!)
})

test('a failure in the background is reported as an event, not thrown', async () => {
  const { network, verifier, ctx, host } = await warm()
  const errors: Error[] = []
  verifier.on('error', error => errors.push(error))
  ;(await network.request(STREAM(1))).refuse()
  host.elapse(10_000)
  ;(await network.request(METADATA_URL)).refuse()
  await Promise.all(ctx.put)
  assert.equal(errors.length, 2)
  assert.equal(verifier.verify('first').revocation, 'not_revoked')
})

test('in an outage, requests without a context do not fail, and not each of them asks', async () => {
  const { network, host, verifier } = lazy({ transport: 'poll' })
  const first = verifier.refresh()
  await network.begin(list(1))
  await first
  const errors: Error[] = []
  verifier.on('error', error => errors.push(error))
  host.elapse(10_000)
  const due = verifier.refresh()
  ;(await network.request(LIST(1))).refuse()
  await due
  await verifier.refresh()
  assert.equal(errors.length, 1)
  assert.equal(verifier.verify('first').revocation, 'not_revoked')
  host.elapse(5_000)
  const again = verifier.refresh()
  ;(await network.request(METADATA_URL)).json(METADATA)
  ;(await network.request(LIST(1))).text(list(2, { since: 1 }))
  await again
  assert.equal(verifier.status().sequence, 2)
})

test('after an interruption of the module, the next request waits for a new instance', async () => {
  const { module, made } = interruptible()
  const { network, verifier } = await warm({ transport: 'poll' }, module)
  made[0]!.isInterrupted = true
  assert.throws(
    () => verifier.verify('first'),
    error => isTokenError(error, 'ERR_WASM_UNAVAILABLE'),
  )
  const retried = verifier.refresh()
  ;(await network.request(METADATA.revocation_list_uri)).text(list(4))
  await retried
  assert.equal(verifier.status().sequence, 4)
  assert.equal(verifier.verify('first').revocation, 'not_revoked')
})
