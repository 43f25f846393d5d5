// The browsers of the stories: Chromium with Playwright, Firefox with WebDriver BiDi. Contexts and pages of
// both have the methods that the stories need, with the same names (`newPage`, `cookies`; `goto`, `evaluate`,
// `on`, `close`).
import { launchFirefox } from '../../js/packaging/firefox.mjs'
import { launchChromium } from '../../js/packaging/tools.mjs'

const CONTEXTS = {
  Chromium: async story => gone(story, await launchChromium()).newContext(),
  Firefox: async (story, preferences) => gone(story, await launchFirefox(preferences)).defaultBrowserContext(),
}

/**
 * An empty browser with the methods `newPage` and `cookies`. It is removed when the story ends. Only Firefox uses
 * the preferences.
 */
export const contextOf = (story, browser, preferences) => CONTEXTS[browser](story, preferences)

const isFirefox = page => 'setOfflineMode' in page

/** Disconnects a page from the network, or reconnects it. The browser informs the page. */
export const setOffline = (page, isOffline) =>
  isFirefox(page) ? page.setOfflineMode(isOffline) : page.context().setOffline(isOffline)

/**
 * Ends a page without notice. Chromium crashes the page. Firefox closes the page, because all pages share one
 * process.
 */
export const kill = page =>
  isFirefox(page)
    ? page.close()
    : Promise.all([page.waitForEvent('crash'), page.goto('chrome://crash').catch(() => undefined)])

/** Resolves when the condition holds in the page. Uses a timer, because a background tab draws no frames. */
export async function until(page, condition, argument) {
  if (isFirefox(page)) return page.waitForFunction(condition, { polling: 100 }, argument)
  // Playwright does not await a promise that the condition returns. Therefore the loop awaits the promise.
  const asked = () => page.waitForFunction(condition, argument, { polling: 100 })
  for (let isSo = false; !isSo;) isSo = await (await asked()).jsonValue()
}

function gone(story, browser) {
  story.after(() => browser.close())
  return browser
}
