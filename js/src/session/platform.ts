import type { TokenStorage } from '../../types/session.js'
import { host, type Host } from '../host.js'
import { channel, type Channel, type Locks } from '../origin.js'

export type { Channel, Locks } from '../origin.js'

/** What a page has and a test brings its own of. */
export interface Platform {
  readonly host: Host
  /** Absent where the browser has none: then tabs rely on the issuer's grace window. */
  readonly locks: Locks | undefined
  /** Told to all other tabs, and nothing to this one. */
  channel(name: string): Channel | undefined
  /**
   * Calls when there may be news of the network or of sleep; a page that is restored from the back/forward cache missed what
   * the others said. The answer stops it.
   */
  onWake(call: (isRestored: boolean) => void): () => void
  /** The page's own. */
  readonly origin: string | undefined
  /** Survives the page; holds no token unless it is given one to hold. */
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
  // All of them come by the window; there is none outside of pages. Not by a signal, which jsdom takes of its own alone.
  for (const event of EVENTS) globalThis.addEventListener?.(event, wake)
  return () => EVENTS.forEach(event => globalThis.removeEventListener?.(event, wake))
}

const EVENTS = ['visibilitychange', 'online', 'pageshow']

export const memory = (): TokenStorage => new Map<string, string>()

/** `localStorage`, and memory where a browser refuses it. */
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
