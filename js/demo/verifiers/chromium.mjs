// A verifier in a browser: the package runs in a page of a real Chromium.
import { launchChromium } from '../../packaging/tools.mjs'

export async function chromiumVerifier(issuer) {
  // The demo itself ends the browser and the other processes. Playwright's signal handlers would end this process
  // first, and the other processes would continue to run.
  const signals = { handleSIGINT: false, handleSIGTERM: false }
  const browser = await launchChromium(signals)
  try {
    return verifierIn(browser, await openPage(browser, issuer))
  } catch (error) {
    await browser.close()
    throw error
  }
}

async function openPage(browser, issuer) {
  const page = await browser.newPage()
  await page.goto(issuer)
  await page.evaluate(async issuer => {
    const { connectVerifier, isTokenError } = await import('/doorlist/index.js')
    const verifier = await connectVerifier({ issuer, audience: 'api' })
    const verify = token => {
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
  return page
}

function verifierIn(browser, page) {
  return {
    name: 'Chromium',
    mode: 'stream',
    verify: token => page.evaluate(token => globalThis.demo.verify(token), token),
    close: () => browser.close(),

    async watch(token) {
      await page.evaluate(token => {
        globalThis.demo.refusal = new Promise(resolve => {
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
