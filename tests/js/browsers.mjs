// The browsers of the stories: Chromium with Playwright, and Firefox with WebDriver BiDi. Contexts and pages of both
// browsers have the methods that the stories need, under the same names. Contexts have `newPage` and `cookies`; pages
// have `goto`, `evaluate`, `on` and `close`.
import { launchFirefox } from '../../js/packaging/firefox.mjs'
import { sharedContext } from '../../js/packaging/shared-browsers.mjs'

/**
 * Returns an empty context with the methods `newPage` and `cookies`. The context is closed when the story ends. The
 * stories of a file share one browser. Only a story with preferences for Firefox has its own browser.
 */
export async function contextOf(story, browser, preferences) {
  if (preferences !== undefined && browser === 'Firefox')
    return gone(story, await launchFirefox(preferences)).defaultBrowserContext()
  return gone(story, await sharedContext(browser))
}

const isFirefox = page => 'setOfflineMode' in page

/** Disconnects a page from the network, or reconnects it. The browser tells the page about the change. */
export const setOffline = (page, isOffline) =>
  isFirefox(page) ? page.setOfflineMode(isOffline) : page.context().setOffline(isOffline)

/**
 * Ends a page suddenly. In Chromium the page crashes. In Firefox all pages share one process, so the page is closed
 * instead.
 */
export const kill = page =>
  isFirefox(page)
    ? page.close()
    : Promise.all([page.waitForEvent('crash'), page.goto('chrome://crash').catch(() => undefined)])

/**
 * Resolves when the condition is true in the page. The condition is checked by a timer, because a background tab draws
 * no frames.
 */
export async function until(page, condition, argument) {
  if (isFirefox(page)) return page.waitForFunction(condition, { polling: 100 }, argument)
  // If the condition returns a promise, Playwright does not await it. Therefore this loop awaits the promise.
  const asked = () => page.waitForFunction(condition, argument, { polling: 100 })
  for (let isSo = false; !isSo;) isSo = await (await asked()).jsonValue()
}

/** Closes a browser or a context when the story ends. */
function gone(story, closable) {
  story.after(() => closable.close())
  return closable
}
