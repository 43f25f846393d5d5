import type { Host } from './host.js'
import type { Channel, Locks, Origin } from './origin.js'

/**
 * The version of the messages on the channel. A message is the text of a signed list. Raise the version when the form
 * of the messages changes.
 */
const VERSION = 1

/**
 * The maximum number of milliseconds for which a page waits while it is frozen or in the back/forward cache. The wait
 * ends earlier when the page is back.
 */
const UNTIL_BACK_MS = 3_600_000

/** The role of this verifier among the verifiers of the same origin and issuer. */
export type Part =
  /** This verifier holds the lock and is allowed to open the stream. */
  | 'leads'
  /** Another verifier leads, or will lead soon. */
  | 'follows'
  /**
   * The browser refuses locks here (a sandboxed frame, a browser without storage). This verifier holds no stream, and
   * shares nothing with other pages.
   */
  | 'alone'
  /** The page is frozen or in the back/forward cache. */
  | 'away'

/** The features of the browser that pages need to share a stream, and the issuer of that stream. */
export interface Shareable {
  readonly origin: Omit<Origin, 'locks'> & { readonly locks: Locks }
  readonly issuer: string
}

/**
 * One stream for all pages and workers of an origin. A browser opens at most six HTTP/1.1 connections to a host, and
 * the streams of six pages would use all of these connections. Only the page that holds a Web Lock holds the stream.
 * This page passes each newer list on to the other pages through a BroadcastChannel. A page does not trust the messages
 * of the channel: the page's own verifier accepts or refuses each list.
 */
export class SharedStream {
  readonly #origin: Shareable['origin']
  readonly #host: Host
  /**
   * The name of the lock and of the channel. An issuer's URL contains no `#`, so a later version can append a `#` and
   * more text to the name.
   */
  readonly #name: string
  readonly #hear: (list: string) => void
  readonly #changed: () => void
  #part: Part = 'follows'
  #heardAt = -Infinity
  #chance = 0
  #channel: Channel | undefined
  #present: AbortController | undefined
  #stopListening = () => {}

  /** @param changed called when the role of this verifier has changed */
  constructor(
    { origin, issuer }: Shareable,
    host: Host,
    { hear, changed }: { readonly hear: (list: string) => void; readonly changed: () => void },
  ) {
    this.#origin = origin
    this.#host = host
    this.#name = `doorlist:${VERSION}:lists:${issuer}`
    this.#hear = hear
    this.#changed = changed
  }

  get part(): Part {
    return this.#part
  }

  /**
   * Returns how many milliseconds to wait for lists from the leader. Returns 0 if this verifier must ask the issuer
   * itself. The leader can be frozen, faulty or an attacker. Therefore a verifier asks the issuer itself after 1.75 to
   * 2 `ttl` without a newer list. The time is random, so that not all verifiers ask at once.
   */
  patienceMs(ttlMs: number): number {
    if (this.#part === 'away') return UNTIL_BACK_MS
    if (this.#part !== 'follows' || this.#channel === undefined) return 0
    return Math.max(0, this.#heardAt + ttlMs * (1.75 + 0.25 * this.#chance) - this.#host.monotonic())
  }

  /** Records that another verifier passed on a newer list. */
  heard(): void {
    this.#heardAt = this.#host.monotonic()
    this.#chance = this.#host.random()
  }

  /**
   * Joins the other verifiers. Call this method when a list is held, because a verifier that cannot get a list should
   * not lead.
   */
  start(): void {
    this.heard()
    this.#stopListening = this.#origin.onAway(isAway => (isAway ? this.#leave('away') : this.#comeBack()))
    this.#enter()
  }

  /** Passes a list on to the other verifiers. */
  pass(list: string): void {
    this.#channel?.postMessage(list)
  }

  close(): void {
    this.#stopListening()
    this.#leave('away')
  }

  #enter(): void {
    const present = (this.#present = new AbortController())
    this.#channel = this.#origin.channel(this.#name)
    if (this.#channel !== undefined)
      this.#channel.onmessage = ({ data }) => {
        if (typeof data === 'string') this.#hear(data)
      }
    this.#become('follows')
    void this.#lead(present.signal)
  }

  #comeBack(): void {
    if (this.#part !== 'away') return
    // This page missed the lists that were sent while the page was away. So the page does not wait for lists from the
    // leader now.
    this.#heardAt = -Infinity
    this.#enter()
  }

  /**
   * Releases the lock, so that the next verifier can lead. Closes the channel, because an open channel would keep the
   * page out of the back/forward cache.
   */
  #leave(part: Part): void {
    this.#present?.abort()
    this.#channel?.close()
    this.#channel = undefined
    this.#become(part)
  }

  async #lead(present: AbortSignal): Promise<void> {
    let wasHeld = false
    try {
      await this.#origin.locks.request(this.#name, { signal: present }, async () => {
        if (present.aborted) return
        wasHeld = true
        this.#become('leads')
        await new Promise<void>(release => present.addEventListener('abort', () => release()))
      })
    } catch {
      // The browser refused the lock, or another script took the lock with `steal`.
    }
    if (present.aborted) return
    if (!wasHeld) return this.#leave('alone')
    this.#become('follows')
    this.#host.after(0, () => void (present.aborted || this.#lead(present)))
  }

  #become(part: Part): void {
    if (this.#part === part) return
    this.#part = part
    this.#changed()
  }
}
