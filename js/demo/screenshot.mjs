// Takes the screenshot in the README. Run `make build`, then `node js/demo/screenshot.mjs`.
import { fileURLToPath } from 'node:url'
import { launchChromium } from '../packaging/tools.mjs'
import { startIssuer } from './issuer.mjs'

const fromRoot = path => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const issuer = await startIssuer({
  binary: process.env.DOORLIST_BINARY ?? fromRoot('target/release/doorlist'),
  command: 'demo',
  args: ['--package', fromRoot('js/dist')],
})
try {
  const browser = await launchChromium()
  const page = await browser.newPage({ viewport: { width: 1180, height: 860 }, deviceScaleFactor: 1.5 })
  await page.goto(issuer.url)
  await page.click('[data-account^=bob]')
  await page.waitForSelector('[data-verdict=accepted]')
  await page.click('#kick')
  await page.waitForSelector('[data-verdict=refused]')
  await page.click('#sign-in-again')
  await page.click('[data-account^=alice]')
  await page.waitForSelector('[data-verdict=accepted]')
  await page.screenshot({ path: fromRoot('js/demo/page.png') })
  await browser.close()
} finally {
  await issuer.remove()
}
