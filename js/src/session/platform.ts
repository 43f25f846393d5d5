import type { TokenStorage } from '../../types/session.js'
import { host, type Host } from '../host.js'
import { channel, type Channel, type Locks } from '../origin.js'

export type { Channel, Locks } from '../origin.js'

/** The features of a page. Tests pass their own implementation. */
export interface Platform {
  readonly host: Host
  /** Absent if the browser has no Web Locks. The tabs then rely on the issuer's grace window. */
  readonly locks: Locks | undefined
  /** Sends to all other tabs, but not to this tab. */
  channel(name: string): Channel | undefined
  /**
   * Calls `call` when the network may be back, or when the computer may have slept. The argument is `true` if the page
   * was restored from the back/forward cache. Such a page has missed the messages of other tabs. Returns a function
   * that stops the calls.
   */
  onWake(call: (isRestored: boolean) => void): () => void
  /** The page's own origin. */
  readonly origin: string | undefined
  /**
   * Returns a storage for texts that must survive the end of the page. The storage contains a token only if the caller
   * stores a token.
   */
  notes(): TokenStorage
}

export const browser = (): Platform => ({
  host,
  locks: globalThis.navigator?.locks as Locks | undefined,
  channel,
  onWake,
  // `null` in a sandboxed frame, and absent outside of pages.
  origin: globalThis.location?.origin,
  notes: localNotes,
})

function onWake(call: (isRestored: boolean) => void): () => void {
  const wake = (event: Event) => call((event as PageTransitionEvent).persisted)
  // All these events are sent to the window. Only pages have a window. The listeners are removed one by one and not by
  // an `AbortSignal`, because jsdom accepts only its own signals.
  for (const event of EVENTS) globalThis.addEventListener?.(event, wake)
  return () => EVENTS.forEach(event => globalThis.removeEventListener?.(event, wake))
}

const EVENTS = ['visibilitychange', 'online', 'pageshow']

export const memory = (): TokenStorage => new Map<string, string>()

/** Returns `localStorage`, or a storage in memory if the browser refuses `localStorage`. */
function localNotes(): TokenStorage {
  try {
    const { localStorage } = globalThis
    localStorage.getItem('')
    return {
      get: key => localStorage.getItem(key),
      set: (key, value) => localStorage.setItem(key, value),
      delete: key => localStorage.removeItem(key),
    }
  } catch {
    return memory()
  }
}
