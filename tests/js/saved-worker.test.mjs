// A Worker that keeps its list in the Cache API or in KV. Miniflare runs it in workerd. The Worker is restarted while
// the issuer is unreachable.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PACKAGE, importDevelopmentPackage, issuerOf, openSession } from './support.mjs'

const { Miniflare } = await importDevelopmentPackage('miniflare')

const worker = store => `
  import { connectVerifier } from './doorlist.js'
  import { cacheStore, kvStore } from './stores.js'
  import { env } from 'cloudflare:workers'

  const verifier = connectVerifier.lazy({ issuer: env.ISSUER, audience: 'api', store: ${store} })

  export default {
    async fetch(request, _, ctx) {
      try {
        await verifier.refresh(ctx)
        return Response.json({ verdict: verifier.verify(await request.text()).payload.sub, ...verifier.status() })
      } catch (error) {
        return Response.json({ verdict: error.code, ...verifier.status() })
      }
    },
  }
`

/** Starts the Worker. Resolves with a function that queries the Worker and a function that stops the Worker. */
async function start(store, issuer, folder) {
  const text = name => readFile(join(PACKAGE, name), 'utf8')
  const miniflare = new Miniflare({
    compatibilityDate: '2025-06-01',
    modules: [
      { type: 'ESModule', path: 'worker.mjs', contents: worker(store) },
      { type: 'ESModule', path: 'doorlist.js', contents: await text('workerd.js') },
      { type: 'ESModule', path: 'stores.js', contents: await text('stores.js') },
      { type: 'CompiledWasm', path: 'verifier.wasm', contents: await readFile(join(PACKAGE, 'verifier.wasm')) },
    ],
    bindings: { ISSUER: issuer.url },
    kvNamespaces: ['LISTS'],
    cachePersist: join(folder, 'cache'),
    kvPersist: join(folder, 'kv'),
  })
  const { href } = await miniflare.ready
  const ask = async token => (await fetch(href, { method: 'POST', body: token })).json()
  return { ask, stop: () => miniflare.dispose() }
}

for (const store of ['cacheStore()', 'kvStore(env.LISTS)']) {
  test(
    `a Worker that starts in an outage refuses kicked users (${store}) (field: wso2/product-microgateway#2447)`,
    { timeout: 120_000 },
    async story => {
      const issuer = await issuerOf(story)
      const folder = await mkdtemp(join(tmpdir(), 'doorlist-worker-'))
      story.after(() => rm(folder, { recursive: true, force: true }))
      const running = new Set()
      story.after(() => Promise.all([...running].map(one => one.stop())))
      const begin = async () => {
        const one = await start(store, issuer, folder)
        running.add(one)
        return one
      }
      const [alice, bob] = [await openSession(issuer, 'alice'), await openSession(issuer, 'bob')]

      const before = await begin()
      assert.equal((await before.ask(alice.access_token)).verdict, 'alice')
      await issuer.admin('/subjects/alice/revoke')
      let kicked = await before.ask(alice.access_token)
      while (kicked.verdict === 'alice') kicked = await before.ask(alice.access_token)
      assert.equal(kicked.verdict, 'ERR_JWT_REVOKED')
      await issuer.stop()

      // The Worker writes the list after it has sent its answer. A Worker that starts before this write uses an older
      // list.
      let after = await begin()
      while ((await after.ask(alice.access_token)).verdict === 'alice') after = await begin()
      assert.equal((await after.ask(alice.access_token)).verdict, 'ERR_JWT_REVOKED')
      const { verdict, sequence, mode } = await after.ask(bob.access_token)
      assert.deepEqual([verdict, sequence, mode], ['bob', kicked.sequence, 'request'])
    },
  )
}
