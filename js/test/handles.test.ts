import assert from 'node:assert/strict'
import test from 'node:test'
import { connectVerifier } from '../src/entrypoints/index.js'
import { handlesIn } from '../src/handles.js'
import { createTestIssuer } from '../src/testing/index.js'
import type { Change } from '../types/index.js'
import { TestIssuer } from './issuer.js'

const NOW = 1_800_000_000

test('the handles in a list are those that another encoder wrote', async () => {
  const issuer = await TestIssuer.create()
  const many = Array.from({ length: 70_000 }, (_, index) => (0xab_0000 + index).toString(16).padStart(16, '0'))
  for (const revoked of [[], ['ffffffffffffffff'], ['0000000000000001', '00000000ffff0000', 'fedcba9876543210'], many])
    assert.deepEqual(handlesIn(await issuer.list({ iat: NOW, seq: 1, revoked })), revoked)
})

test('a `change` event names the revoked handles', async () => {
  const issuer = await createTestIssuer()
  await issuer.revoke('alice')
  const verifier = await connectVerifier({ ...issuer.rules, fetch: issuer.fetch, transport: 'poll' })
  const changes: Change[] = []
  verifier.on('change', change => changes.push(change))
  const { payload } = verifier.verify(await issuer.token())
  await issuer.revoke('alice')
  await verifier.refresh()
  await issuer.cutOff()
  await verifier.refresh()
  verifier.close()
  const [kick, cutoff] = changes
  assert.ok(kick?.revoked.includes(payload.gid))
  assert.deepEqual([kick?.sequence, kick?.outcome, kick?.revoked.length], [3, 'applied', 2])
  assert.equal(kick?.revoked, kick?.revoked, 'read once')
  assert.deepEqual(cutoff?.revoked, kick?.revoked, 'a full list contains all handles')
})
