// Firefox, driven over WebDriver BiDi: Playwright has a Firefox of its own only, and takes no other.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer from 'puppeteer-core'
import { findFirefox } from './programs.mjs'

/** Milliseconds; a busy machine takes some seconds. Stories have a minute, and this is to be said within it. */
const START_LIMIT = 40_000
/** Milliseconds that a page may take over one thing it is asked. */
const ANSWER_LIMIT = 45_000

/**
 * A Firefox of its own: what it writes is in a folder that goes with it, and it looks no name up but localhost.
 * @param {object} [preferences] further ones of `about:config`
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
      // As root it refuses a home of somebody else's.
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
    throw new Error(`${executablePath} did not start, for which it has ${START_LIMIT / 1000} s: ${cause.message}`, {
      cause,
    })
  }
}

/** Ends it with all that it started; nothing is to be saved, and one that hangs would not end by itself. */
function closing(firefox, remove) {
  const gone = once(firefox, 'exit').then(remove)
  return () => {
    if (firefox.exitCode === null && firefox.signalCode === null) process.kill(-firefox.pid, 'SIGKILL')
    return gone
  }
}
