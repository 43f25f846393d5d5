import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import { authenticate } from '../src/adapters/express.js'
import { createVerifier } from '../src/entrypoints/index.js'
import { createTestIssuer } from '../src/testing/index.js'
import type { LazyVerifier } from '../types/index.js'

test('a request that was answered during the refresh does not crash the process', async () => {
  const issuer = await createTestIssuer()
  const verifier = createVerifier(issuer.rules)
  verifier.load(await issuer.list())
  let refreshed = () => {}
  const refresh = () => new Promise<void>(resolve => (refreshed = resolve))
  const signedIn = authenticate({ ...verifier, refresh } as LazyVerifier)
  const server = createServer((request, response) => {
    signedIn(request, response, () => assert.fail('an invalid token'))
    response.writeHead(504).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const headers = { authorization: 'Bearer none' }
  assert.equal((await fetch(`http://127.0.0.1:${port}`, { headers })).status, 504)
  // If the adapter threw an exception here, no code would catch it, and the test would fail.
  refreshed()
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
})
