// Opens the demo page in Chromium. The real issuer serves this page.
import { sharedContext } from '../../js/packaging/shared-browsers.mjs'
import { PACKAGE, issuerOf } from './support.mjs'

export const demoIssuer = (story, heartbeat) =>
  issuerOf(story, { command: 'demo', args: ['--package', PACKAGE], heartbeat })

/**
 * Returns a browser context and the address of the demo page. `flaws` collects the errors of the pages, and everything
 * that their Content-Security-Policy forbade. `options` are the options of Playwright for the context.
 */
export async function demoOf(story, { heartbeat, ...options } = {}) {
  const issuer = await demoIssuer(story, heartbeat)
  const context = await sharedContext('Chromium', options)
  story.after(() => context.close())
  const [flaws, streams] = [[], []]
  context.on('weberror', error => flaws.push(error.error()))
  // Chromium reports each violation of the page's Content-Security-Policy here.
  context.on('console', message => {
    if (message.text().includes('Content Security Policy')) flaws.push(message.text())
  })
  context.on('request', request => {
    if (request.url().includes('/revocations/stream')) streams.push(request)
  })
  const open = async () => {
    const page = await context.newPage()
    await page.goto(issuer.url)
    return page
  }
  return { issuer, context, open, streams, flaws }
}

export async function signIn(page, name) {
  await page.locator(`[data-account^="${name}:"]`).click()
  await verdict(page, 'accepted')
}

export const verdict = (page, word) => page.locator(`#verdict[data-verdict="${word}"]`).waitFor()
export const kicked = page => page.locator('#verdict-word', { hasText: 'Kicked' }).waitFor()
