// One Chromium and one Firefox for all tests of a file. A Firefox takes some seconds to start. A new context takes
// milliseconds, and shares no cookies, storage, locks or channels with other contexts.
import { after } from 'node:test'
import { launchFirefox } from './firefox.mjs'
import { launchChromium } from './tools.mjs'

const BROWSERS = {
  Chromium: {
    launch: launchChromium,
    isAlive: browser => browser.isConnected(),
    open: (browser, options) => browser.newContext(options),
  },
  Firefox: {
    launch: () => launchFirefox(),
    isAlive: browser => browser.connected,
    open: browser => browser.createBrowserContext(),
  },
}

const started = new Map()

after(async () => {
  const browsers = await Promise.allSettled(started.values())
  await Promise.all(browsers.map(({ value }) => value?.close()))
})

/**
 * Returns an empty context with the methods `newPage`, `cookies` and `close`. The first call starts the browser.
 * @param {'Chromium' | 'Firefox'} name
 * @param {object} [options] the options of Playwright for a context; only for Chromium
 */
export async function sharedContext(name, options) {
  const { launch, isAlive, open } = BROWSERS[name]
  // If the browser crashed in one test, the next test gets another browser.
  if (!(await started.get(name)?.then(isAlive, () => false))) started.set(name, launch())
  return open(await started.get(name), options)
}
