// The browsers of the stories: Chromium with Playwright, Firefox with WebDriver BiDi. Contexts and pages of
// both have the methods that the stories need, with the same names (`newPage`, `cookies`; `goto`, `evaluate`,
// `on`, `close`).
import { launchFirefox } from '../../js/packaging/firefox.mjs'
import { sharedContext } from '../../js/packaging/shared-browsers.mjs'

/**
 * An empty context with the methods `newPage` and `cookies`. It is closed when the story ends. The stories of a file
 * share one browser, except a story with preferences. Only Firefox uses the preferences.
 */
export async function contextOf(story, browser, preferences) {
  if (preferences !== undefined && browser === 'Firefox')
    return gone(story, await launchFirefox(preferences)).defaultBrowserContext()
  return gone(story, await sharedContext(browser))
}

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

/** Closes a browser or a context when the story ends. */
function gone(story, closable) {
  story.after(() => closable.close())
  return closable
}
