// A browser: the package in a page of a real Chromium.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'
import { note } from '../terminal.mjs'

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** The path of a Chromium, or undefined. `CHROMIUM` names one that is not on the PATH. */
export function findChromium() {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const candidates = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) => folders.map((folder) => join(folder, name)))
  return [process.env.CHROMIUM, ...candidates].find((path) => {
    try { accessSync(path, constants.X_OK); return true } catch { return false }
  })
}

export function launchChromium(executablePath = findChromium()) {
  if (!executablePath) throw new Error('no Chromium found: apt-get install chromium, or name one in CHROMIUM=/path/to/chrome')
  return chromium.launch({ executablePath, args: FLAGS })
}

export async function chromiumVerifier(issuer) {
  const executablePath = findChromium()
  if (!executablePath) return note('Chromium: none found, so no browser this time (apt-get install chromium)')
  const browser = await launchChromium(executablePath)
  const page = await browser.newPage()
  await page.goto(issuer)
  await page.evaluate(async (issuer) => {
    const { connectVerifier, isTokenError } = await import('/doorlist/index.js')
    const verifier = await connectVerifier({ issuer, audience: 'api' })
    const verify = (token) => {
      try {
        const { freshness } = verifier.verify(token)
        return { accepted: true, freshness }
      } catch (error) {
        if (!isTokenError(error)) throw error
        return { accepted: false, code: error.code }
      }
    }
    globalThis.demo = { verifier, verify }
  }, issuer)

  return {
    name: 'Chromium',
    mode: 'stream',
    verify: (token) => page.evaluate((token) => globalThis.demo.verify(token), token),
    close: () => browser.close(),

    async watch(token) {
      await page.evaluate((token) => {
        globalThis.demo.refusal = new Promise((resolve) => {
          globalThis.demo.verifier.on('change', () => {
            const { accepted, code } = globalThis.demo.verify(token)
            if (!accepted) resolve({ at: performance.timeOrigin + performance.now(), code })
          })
        })
      }, token)
      return () => page.evaluate(() => globalThis.demo.refusal)
    },

    pause: () => page.waitForTimeout(100),
  }
}
