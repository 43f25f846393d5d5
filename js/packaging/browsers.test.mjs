// The package in pages that bundlers or a development server deliver (seen in the field: loro-dev/loro#975,
// dqbd/tiktoken#28).
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { build } from 'esbuild'
import { build as viteBuild, createServer as viteServer } from 'vite'
import { esbuildOptions, esbuilt, page, webpacked } from './bundles.mjs'
import { createConsumer } from './consumer.mjs'
import { FOLLOWED, RESTARTED, startIssuer } from './issuer.mjs'
import { sharedContext } from './shared-browsers.mjs'
import { firstLineIn, serve } from './tools.mjs'

let consumer, issuer
before(async () => {
  consumer = await createConsumer()
  issuer = await startIssuer()
})
after(async () => {
  issuer?.stop()
  await consumer?.remove()
})

const options = { timeout: 60_000 }

for (const browser of ['Chromium', 'Firefox']) {
  const launch = () => sharedContext(browser)
  const firstLine = async (folder, { headers, search = '' } = {}) => {
    const server = await serve(folder, headers)
    try {
      return await firstLineIn(launch, server.address + search)
    } finally {
      server.stop()
    }
  }
  const project = name => consumer.sibling(`${name}-${browser}`)

  test(`${browser} follows an issuer of another origin`, options, async () => {
    const folder = await project('follow')
    await esbuilt(folder, 'follow-page.mjs')
    const line = await firstLine(folder, { search: `?${await issuer.tenant()}` })
    assert.deepEqual(JSON.parse(line), FOLLOWED)
  })

  test(
    `${browser} starts without a network from the list in IndexedDB (field: wso2/product-microgateway#2447)`,
    options,
    async () => {
      const folder = await project('restart')
      await esbuilt(folder, 'restart-page.mjs')
      const line = await firstLine(folder, { search: `?${await issuer.tenant()}` })
      assert.deepEqual(JSON.parse(line), RESTARTED)
    },
  )

  test(`a bundle of esbuild conforms in ${browser}`, options, async () => {
    const folder = await project('esbuild')
    await esbuilt(folder, 'main.mjs')
    consumer.assertConforms(await firstLine(folder))
  })

  test(
    `a bundle of esbuild conforms in ${browser} under a Content-Security-Policy with 'wasm-unsafe-eval'`,
    options,
    async () => {
      const folder = await project('csp')
      await esbuilt(folder, 'main.mjs')
      const headers = { 'content-security-policy': "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'" }
      consumer.assertConforms(await firstLine(folder, { headers }))
    },
  )

  test(`in ${browser} without 'wasm-unsafe-eval', the error names the missing directive`, options, async () => {
    const folder = await project('no-csp')
    await esbuilt(folder, 'unavailable.mjs')
    const headers = { 'content-security-policy': "default-src 'self'" }
    const { code, message } = JSON.parse(await firstLine(folder, { headers }))
    assert.equal(code, 'ERR_WASM_UNAVAILABLE')
    assert.match(message, /'wasm-unsafe-eval'/)
  })

  test(`C10: a page recognizes the errors of its worker, in ${browser}`, options, async () => {
    const folder = await project('errors')
    await esbuilt(folder, 'errors-page.mjs')
    await build({ ...esbuildOptions(folder, 'errors-worker.mjs'), write: true, outfile: join(folder, 'worker.js') })
    assert.deepEqual(JSON.parse(await firstLine(folder)), {
      recognised: [true, true],
      confused: [false, false, false],
      made: [true, true, 'string', 'string'],
      same: true,
      codes: ['ERR_JWS_INVALID', 'ERR_SESSION_SIGNED_OUT'],
    })
  })

  test(`a build of Vite conforms in ${browser}`, options, async () => {
    const folder = await project('vite-build')
    await page(folder, 'main.mjs', 'module')
    await viteBuild({ root: folder, logLevel: 'error' })
    consumer.assertConforms(await firstLine(join(folder, 'dist')))
  })

  test(`a page of Vite’s development server conforms in ${browser}`, options, async () => {
    const folder = await project('vite-dev')
    await page(folder, 'main.mjs', 'module')
    const server = await viteServer({
      root: folder,
      logLevel: 'error',
      server: { host: '127.0.0.1', port: 0, hmr: false },
    })
    try {
      await server.listen()
      const address = `http://127.0.0.1:${server.httpServer.address().port}/`
      consumer.assertConforms(await firstLineIn(launch, address))
    } finally {
      await server.close()
    }
  })

  test(`a bundle of webpack conforms in ${browser}`, options, async () => {
    const folder = await project('webpack')
    await webpacked(folder, 'main.mjs')
    await page(folder, 'bundle.js')
    consumer.assertConforms(await firstLine(folder))
  })
}
