import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { makeConnectVerifier } from '../src/api.js'
import { bind } from '../src/entrypoints/slim.js'
import { isTokenError } from '../src/errors.js'
import type { Verifier } from '../types/index.js'
import { Context, FakeHost, FakeNetwork, FakeStore, ISSUER, METADATA, interruptible, list, since } from './fakes.js'
import { AUDIENCE, TestIssuer } from './issuer.js'

/** After a verifier was used once and dropped, at most this many bytes of its resident memory remain. */
const MOST_BYTES = 16 * 1024
const COUNT = 20_000

const growth = (fate: string, count = COUNT): { resident: number; wasm: number } => {
  const churn = fileURLToPath(new URL('churn.ts', import.meta.url))
  const said = execFileSync(process.execPath, ['--expose-gc', '--import', 'tsx', churn, String(count), fate])
  return JSON.parse(String(said))
}

// No callback of a FinalizationRegistry runs before the current task ends. Until then, verifiers that are not closed
// keep their memory.
test('C8: 20,000 verifiers made, used once and dropped in one task cost at most 16 KB each', () => {
  const { resident, wasm } = growth('dropped')
  assert.ok(resident <= MOST_BYTES && wasm <= 4096, `${resident} B resident and ${wasm} B of WebAssembly memory each`)
})

test('C8: new verifiers reuse the memory of closed and of garbage-collected verifiers', () => {
  const closed = growth('closed')
  assert.ok(closed.resident <= MOST_BYTES && closed.wasm * COUNT <= 1024 * 1024, JSON.stringify(closed))
  const collected = growth('collected', 2_000)
  assert.ok(collected.wasm * 2_000 <= 2 * 1024 * 1024, JSON.stringify(collected))
})

const NOW = 1_800_000_000
const at = { currentDate: new Date(NOW * 1000) }

function isClosed(verifier: Verifier, token = 'token'): void {
  const refused = (error: unknown) => isTokenError(error, 'ERR_VERIFIER_CLOSED') && /make a new one/.test(error.message)
  assert.throws(() => verifier.verify(token, at), refused)
  assert.throws(() => verifier.load(list(9), at), refused)
  assert.throws(() => verifier.assertNotRevoked({}, at), refused)
  const { asOf, sequence, entries, keys, stale } = verifier.status(at)
  assert.deepEqual(
    [asOf, sequence, entries, keys, stale],
    [null, null, 0, [], true],
    'the closed verifier holds no list',
  )
}

test('C8: a closed verifier throws ERR_VERIFIER_CLOSED; others of its instance still work', async () => {
  const issuer = await TestIssuer.create()
  const { createVerifier } = bind(readFileSync(new URL('../wasm/verifier.wasm', import.meta.url)))
  const token = await issuer.token(NOW)
  const made = [0, 1].map(() => createVerifier({ issuer: ISSUER, audience: AUDIENCE, jwks: issuer.jwks }))
  const signed = await issuer.list({ iat: NOW, seq: 1 })
  for (const verifier of made) {
    verifier.load(signed, at)
    verifier.verify(token, at)
  }
  const [first, second] = made as [Verifier, Verifier]
  first.close()
  first.close()
  isClosed(first, token)
  // A new verifier can get the memory of the closed verifier.
  for (let round = 0; round < 3; round++) createVerifier({ issuer: ISSUER, audience: AUDIENCE, jwks: issuer.jwks })
  isClosed(first, token)
  assert.equal(second.verify(token, at).payload.sub, 'alice')
  second[Symbol.dispose]()
  isClosed(second, token)
})

test('C8: `close` works without FinalizationRegistry and Symbol.dispose', async () => {
  const { FinalizationRegistry } = globalThis
  Reflect.deleteProperty(globalThis, 'FinalizationRegistry')
  try {
    const { createVerifier } = bind(readFileSync(new URL('../wasm/verifier.wasm', import.meta.url)))
    const verifier = createVerifier({ issuer: ISSUER, audience: AUDIENCE })
    verifier.close()
    isClosed(verifier)
  } finally {
    globalThis.FinalizationRegistry = FinalizationRegistry
  }
})

test('C8: a connected verifier saves its list when it is closed, and then frees its memory', async () => {
  const [network, host, store] = [new FakeNetwork(), new FakeHost(), new FakeStore()]
  const { module, made } = interruptible()
  const connecting = makeConnectVerifier(module, host)({ issuer: ISSUER, audience: 'api', fetch: network.fetch, store })
  await network.begin(list(1))
  const verifier = await connecting
  verifier.on('error', error => assert.fail(String(error)))
  const stream = await network.request(since(METADATA.revocation_stream_uri, 1))
  host.elapse(1)
  verifier.close()
  verifier.close()
  await stream.aborted
  await host.idle()
  isClosed(verifier)
  assert.equal(verifier.status().mode, 'closed')
  await assert.rejects(verifier.refresh(), error => isTokenError(error, 'ERR_VERIFIER_CLOSED'))
  assert.ok(made.every(({ isClosed }) => isClosed))
  assert.ok(store.values.size === 2, 'both texts')
})

test('C8: a verifier that could not connect frees its memory', async () => {
  const [network, host] = [new FakeNetwork(), new FakeHost()]
  const { module, made } = interruptible()
  const connecting = makeConnectVerifier(module, host)({ issuer: ISSUER, audience: 'api', fetch: network.fetch })
  const failed = assert.rejects(connecting)
  await host.waits(10_000)
  host.elapse(10_000)
  await failed
  assert.ok(made.length > 0 && made.every(({ isClosed }) => isClosed))
})

test('C8: a closed lazy verifier refuses later events of its stream, without an error event', async () => {
  const [network, host, ctx] = [new FakeNetwork(), new FakeHost(), new Context()]
  const { module, made } = interruptible()
  const verifier = makeConnectVerifier(module, host).lazy({ issuer: ISSUER, audience: 'api', fetch: network.fetch })
  verifier.on('error', error => assert.fail(String(error)))
  verifier.on('change', ({ sequence }) => assert.equal(sequence, 1))
  const first = verifier.refresh(ctx)
  await network.begin(list(1))
  await first
  const stream = await network.request(since(METADATA.revocation_stream_uri, 1))
  stream.open()
  verifier.close()
  isClosed(verifier)
  assert.equal(verifier.status().mode, 'closed')
  await assert.rejects(verifier.refresh(ctx), error => isTokenError(error, 'ERR_VERIFIER_CLOSED'))
  stream.send(list(2, { since: 1 }))
  await stream.aborted
  await host.idle()
  assert.ok(made.every(({ isClosed }) => isClosed))
})
