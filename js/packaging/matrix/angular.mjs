// Angular with zone.js, in a page with a session and a verifier. The page must become stable. If the user signs out in
// another tab, this page must show that the user is signed out.
import assert from 'node:assert/strict'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { js } from '../consumer.mjs'
import { launchChromium, serve } from '../tools.mjs'
import { PAGE_LIMIT_MS, ran, within } from './limits.mjs'

export async function angular({ project, issuer }) {
  await cp(join(js, 'examples/angular/session.service.ts'), join(project, 'session.service.ts'))
  // Compiles `async` functions to promises, because zone.js can follow only promises. Angular's own builder does the
  // same.
  const options = ['--bundle', '--outfile=bundle.js', '--target=es2016', '--format=iife', '--log-level=warning']
  await ran(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit', '--project', '.'], project)
  await ran(process.execPath, ['node_modules/esbuild/bin/esbuild', 'main.ts', ...options], project)
  const page =
    '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><app-root></app-root><script src="./bundle.js"></script>\n'
  await writeFile(join(project, 'index.html'), page)
  const server = await serve(project)
  const browser = await launchChromium()
  try {
    const context = await browser.newContext()
    const tenant = await issuer.tenant()
    const tab = async () => {
      const page = await context.newPage()
      const ready = new Promise((resolve, reject) => {
        page.on('console', message => message.text() === 'ready' && resolve())
        page.on('pageerror', reject)
      })
      const opened = () => Promise.all([ready, page.goto(`${server.address}?${tenant}`)])
      await within('the start of a tab', opened, PAGE_LIMIT_MS)
      return page
    }
    const shows = (page, state) => page.locator('h1', { hasText: state }).waitFor({ timeout: 30_000 })
    const stable = page => within('a stable app', () => page.evaluate(() => globalThis.stable()), PAGE_LIMIT_MS)

    const first = await tab()
    await stable(first)
    await first.click('#in')
    await shows(first, 'active')
    await stable(first)
    await first.evaluate(async () => void (globalThis.verifier = await globalThis.connect()))
    await stable(first)
    assert.equal(await first.evaluate(() => globalThis.settled()), true)

    const second = await tab()
    await shows(second, 'active')
    await stable(second)
    await second.click('#out')
    await shows(second, 'signed-out')
    await shows(first, 'signed-out')
    await stable(first)

    // Creates a verifier inside the zone. The README warns against this, because the page then never becomes stable. If
    // the page became stable here, the checks above would prove nothing.
    await first.evaluate(async () => void (globalThis.counted = await globalThis.connectInside()))
    assert.equal(await first.evaluate(() => globalThis.settled()), false)
  } finally {
    await browser.close()
    server.stop()
  }
}
