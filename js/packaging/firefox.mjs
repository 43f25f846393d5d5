// Starts Firefox and controls it over WebDriver BiDi. Playwright is not used here, because it works only with its own
// build of Firefox.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer from 'puppeteer-core'
import { findFirefox } from './programs.mjs'

/**
 * The maximum number of milliseconds until Firefox has started. A busy machine needs some seconds. The time limit of a
 * story is one minute. If Firefox does not start, its error must appear before the story ends.
 */
const START_LIMIT = 40_000
/** The maximum number of milliseconds for one operation of a page. */
const ANSWER_LIMIT = 45_000

/**
 * Starts a separate Firefox. It writes only to a temporary folder, and resolves no host name except localhost.
 * @param {object} [preferences] additional preferences of `about:config`
 */
export async function launchFirefox(preferences) {
  const executablePath = findFirefox()
  const home = await mkdtemp(join(tmpdir(), 'doorlist-firefox-'))
  const remove = () => rm(home, { recursive: true, force: true, maxRetries: 10 })
  const end = new AbortController()
  try {
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath,
      userDataDir: join(home, 'profile'),
      // As root, Firefox refuses a home folder that belongs to another user.
      env: { ...process.env, HOME: home, XDG_CACHE_HOME: home, XDG_CONFIG_HOME: home, MOZ_CRASHREPORTER_DISABLE: '1' },
      extraPrefsFirefox: { 'network.dns.disabled': true, ...preferences },
      defaultViewport: null,
      timeout: START_LIMIT,
      protocolTimeout: ANSWER_LIMIT,
      signal: end.signal,
    })
    return Object.assign(browser, { close: closing(browser.process(), remove) })
  } catch (cause) {
    end.abort()
    await remove()
    throw new Error(`${executablePath} did not start (time limit: ${START_LIMIT / 1000} s): ${cause.message}`, {
      cause,
    })
  }
}

/**
 * Returns a function that kills Firefox and its child processes. Firefox has nothing to save. A Firefox that hangs
 * would not end in any other way.
 */
function closing(firefox, remove) {
  const gone = once(firefox, 'exit').then(remove)
  return () => {
    if (firefox.exitCode === null && firefox.signalCode === null) process.kill(-firefox.pid, 'SIGKILL')
    return gone
  }
}
