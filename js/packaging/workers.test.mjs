// C7: the package in every kind of worker of a page, and in a page of a browser extension.
import assert from 'node:assert/strict'
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { chromium } from 'playwright-core'
import { build } from 'esbuild'
import { esbuildOptions } from './bundles.mjs'
import { createConsumer } from './consumer.mjs'
import { FOLLOWED, startIssuer } from './issuer.mjs'
import { findChromium } from './programs.mjs'
import { firstLineIn, launchChromium, serve } from './tools.mjs'

const options = { timeout: 60_000 }

let consumer, issuer
before(async () => {
  consumer = await createConsumer()
  issuer = await startIssuer()
})
after(async () => {
  issuer?.stop()
  await consumer?.remove()
})

/**
 * Creates a project whose `bundle.js` gets the address of an issuer, follows this issuer, and answers with the result.
 */
async function bundled(name, listen) {
  const project = await consumer.sibling(name)
  const source = `import { follow } from './following.mjs'
    const told = (issuer, answer) => follow(issuer).then(answer, error => answer({ error: String(error.stack) }))
    ${listen}`
  await writeFile(join(project, 'entry.mjs'), source)
  await build({ ...esbuildOptions(project, 'entry.mjs'), write: true, outfile: join(project, 'bundle.js') })
  return project
}

const kinds = {
  dedicated: [
    'onmessage = ({ data }) => told(data, result => postMessage(result))',
    "const worker = new Worker('bundle.js'); worker.onmessage = said; worker.postMessage(issuer)",
  ],
  shared: [
    'onconnect = ({ ports: [port] }) => (port.onmessage = ({ data }) => told(data, result => port.postMessage(result)))',
    "const { port } = new SharedWorker('bundle.js'); port.onmessage = said; port.postMessage(issuer)",
  ],
  service: [
    'onmessage = event => event.waitUntil(told(event.data, result => event.source.postMessage(result)))',
    `navigator.serviceWorker.onmessage = said
     navigator.serviceWorker.startMessages()
     navigator.serviceWorker.register('bundle.js')
     navigator.serviceWorker.ready.then(({ active }) => active.postMessage(issuer))`,
  ],
}

for (const [kind, [listen, ask]] of Object.entries(kinds)) {
  test(`C7: a ${kind} worker follows an issuer`, options, async () => {
    const project = await bundled(`${kind}-worker`, listen)
    const script = `const issuer = location.search.slice(1)
      const said = ({ data }) => console.log(JSON.stringify(data))
      ${ask}`
    await writeFile(join(project, 'index.html'), `<!doctype html><meta charset="utf-8"><script>${script}</script>\n`)
    const server = await serve(project)
    try {
      const line = await firstLineIn(launchChromium, `${server.address}?${await issuer.tenant()}`)
      assert.deepEqual(JSON.parse(line), FOLLOWED)
    } finally {
      server.stop()
    }
  })
}

test('C7: a page of an MV3 extension follows an issuer', options, async () => {
  const project = await bundled(
    'extension',
    'told(location.search.slice(1), result => (document.title = JSON.stringify(result)))',
  )
  const manifest = {
    manifest_version: 3,
    name: 'doorlist',
    version: '1',
    host_permissions: ['http://127.0.0.1/*'],
    background: { service_worker: 'background.js' },
    // The README requires `'wasm-unsafe-eval'` for every page with a Content Security Policy. Manifest version 3 allows
    // only this source and `'self'`.
    content_security_policy: { extension_pages: "script-src 'self' 'wasm-unsafe-eval'; object-src 'self'" },
  }
  await writeFile(join(project, 'manifest.json'), JSON.stringify(manifest))
  await writeFile(join(project, 'background.js'), '')
  await writeFile(
    join(project, 'page.html'),
    '<!doctype html><meta charset="utf-8"><script src="bundle.js"></script>\n',
  )
  const profile = await realpath(await mkdtemp(join(tmpdir(), 'doorlist-extension-')))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    chromiumSandbox: process.getuid?.() !== 0,
    headless: false,
    args: [
      '--headless=new',
      '--disable-gpu',
      '--no-first-run',
      `--disable-extensions-except=${project}`,
      `--load-extension=${project}`,
    ],
  })
  try {
    const [background] = context.serviceWorkers()
    const worker = background ?? (await context.waitForEvent('serviceworker'))
    const page = await context.newPage()
    await page.goto(`${worker.url().replace('background.js', 'page.html')}?${await issuer.tenant()}`)
    await page.waitForFunction(() => globalThis.document.title.startsWith('{'))
    assert.deepEqual(JSON.parse(await page.title()), FOLLOWED)
  } finally {
    await context.close()
    await rm(profile, { recursive: true, force: true })
  }
})
