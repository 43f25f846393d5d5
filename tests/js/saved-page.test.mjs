// A page whose verifier keeps its list in IndexedDB or in the Cache API. The page is reloaded while the issuer is
// unreachable.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { contextOf, until } from './browsers.mjs'
import { PACKAGE, issuerOf, openSession } from './support.mjs'

const PAGE = `<!doctype html><meta charset="utf-8"><script type="module">
  import { connectVerifier } from '/index.js'
  import * as stores from '/stores.js'
  window.start = async (issuer, kind) => {
    window.verifier = await connectVerifier({ issuer, audience: 'api', store: stores[kind]() })
    return verifier.status()
  }
  window.verdict = token => {
    try {
      return verifier.verify(token).payload.sub
    } catch (error) {
      return error.code
    }
  }
</script>`

async function pageOf(story, browser) {
  const server = createServer(async ({ url }, response) => {
    if (url === '/') return response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE)
    const body = await readFile(join(PACKAGE, basename(url))).catch(() => undefined)
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'text/javascript' }).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  story.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const context = await contextOf(story, browser)
  const page = await context.newPage()
  await page.goto(`http://127.0.0.1:${server.address().port}/`)
  return page
}

for (const [browser, kind] of [
  ['Chromium', 'indexedDbStore'],
  ['Chromium', 'cacheStore'],
  ['Firefox', 'indexedDbStore'],
  ['Firefox', 'cacheStore'],
]) {
  test(
    `a page that is reloaded in an outage refuses kicked users: ${browser}, ${kind} (field: wso2/product-microgateway#2447)`,
    { timeout: 120_000 },
    async story => {
      const issuer = await issuerOf(story)
      const page = await pageOf(story, browser)
      const [alice, bob] = [await openSession(issuer, 'alice'), await openSession(issuer, 'bob')]
      const verdicts = () => page.evaluate(tokens => tokens.map(verdict), [alice.access_token, bob.access_token])
      const start = () => page.evaluate(([url, kind]) => start(url, kind), [issuer.url, kind])

      await start()
      assert.deepEqual(await verdicts(), ['alice', 'bob'])
      await issuer.admin('/subjects/alice/revoke')
      await until(page, token => verdict(token) === 'ERR_JWT_REVOKED', alice.access_token)
      const { sequence } = await page.evaluate(() => verifier.status())
      // Waits until the list is saved. Then a second verifier can start from the saved list.
      await until(
        page,
        async ([url, kind, sequence]) => {
          const offline = () => Promise.reject(new TypeError('offline'))
          const { connectVerifier } = await import('/index.js')
          const store = (await import('/stores.js'))[kind]()
          const peek = await connectVerifier({ issuer: url, audience: 'api', fetch: offline, store })
          const isWritten = peek.status().sequence >= sequence
          peek.close()
          return isWritten
        },
        [issuer.url, kind, sequence],
      )
      await issuer.stop()

      await page.reload()
      const status = await start()
      assert.deepEqual(await verdicts(), ['ERR_JWT_REVOKED', 'bob'])
      assert.equal(status.sequence, sequence)
    },
  )
}
