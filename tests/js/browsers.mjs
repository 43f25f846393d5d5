// The browsers that stories are told in: Chromium over Playwright, Firefox over WebDriver BiDi. What stories ask of a
// context and of its pages (`newPage`, `cookies`; `goto`, `evaluate`, `on`, `close`) both have by the same names.
import { launchFirefox } from '../../js/packaging/firefox.mjs'
import { launchChromium } from '../../js/packaging/tools.mjs'

const CONTEXTS = {
  Chromium: async story => gone(story, await launchChromium()).newContext(),
  Firefox: async (story, preferences) => gone(story, await launchFirefox(preferences)).defaultBrowserContext(),
}

/** A browser with nothing in it, which is gone when the story is over: `newPage` and `cookies`. Preferences are Firefox's. */
export const contextOf = (story, browser, preferences) => CONTEXTS[browser](story, preferences)

const isFirefox = page => 'setOfflineMode' in page

/** Takes the network from a page, or gives it back; the browser tells the page. */
export const setOffline = (page, isOffline) =>
  isFirefox(page) ? page.setOfflineMode(isOffline) : page.context().setOffline(isOffline)

/** Ends a page without a word: Chromium's crashes, Firefox's is closed, for its process is that of all the others. */
export const kill = page =>
  isFirefox(page)
    ? page.close()
    : Promise.all([page.waitForEvent('crash'), page.goto('chrome://crash').catch(() => undefined)])

/** Resolves once this is so in the page. Asked by a clock: a tab in the background draws no frames. */
export async function until(page, condition, argument) {
  if (isFirefox(page)) return page.waitForFunction(condition, { polling: 100 }, argument)
  // Playwright takes a promise for the answer.
  const asked = () => page.waitForFunction(condition, argument, { polling: 100 })
  for (let isSo = false; !isSo;) isSo = await (await asked()).jsonValue()
}

function gone(story, browser) {
  story.after(() => browser.close())
  return browser
}
