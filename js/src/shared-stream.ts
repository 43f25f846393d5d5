import type { Host } from './host.js'
import type { Channel, Locks, Origin } from './origin.js'

/**
 * The version of the messages on the channel. A message is a list, exactly as it was signed. Raise the version when the
 * form of the messages changes.
 */
const VERSION = 1

/** Milliseconds. A page that is away waits at most this long. The wait ends early when the page is back. */
const UNTIL_BACK_MS = 3_600_000

/** The role of this verifier among the verifiers of the same origin and issuer. */
export type Part =
  /** This verifier holds the lock and may open the stream. */
  | 'leads'
  /** Another verifier leads, or will lead soon. */
  | 'follows'
  /**
   * The browser refuses locks here (a sandboxed frame, a browser without storage): no stream, and no sharing with
   * other pages.
   */
  | 'alone'
  /** The page is frozen or in the back/forward cache. */
  | 'away'

/** The browser's features with which pages share a stream, and the issuer of the stream. */
export interface Shareable {
  readonly origin: Omit<Origin, 'locks'> & { readonly locks: Locks }
  readonly issuer: string
}

/**
 * One stream for all pages and workers of an origin. A browser opens at most six HTTP/1.1 connections to a host, and
 * one stream per page would use them all. The page that holds a Web Lock has the stream, and passes each newer list
 * on through a BroadcastChannel. Messages of the channel are not trusted: each is a list, and the receiver's own
 * verifier accepts or refuses it.
 */
export class SharedStream {
  readonly #origin: Shareable['origin']
  readonly #host: Host
  /**
   * The name of the lock and of the channel. An issuer's URL contains no `#`, so a realm and a filter can later be
   * appended after a `#`.
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

  /** @param changed called when the role has changed */
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
   * Milliseconds to wait for lists from another verifier; 0 if this verifier must ask the issuer. The leader may be
   * frozen, faulty or an attacker. So each verifier asks for itself after 1.75 to 2 `ttl` without a newer list; the
   * time is random, so that not all ask at once.
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

  /** Joins the other verifiers. Call it when a list is held: a verifier that cannot get a list should not lead. */
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
    // Lists that were passed on in the meantime were missed.
    this.#heardAt = -Infinity
    this.#enter()
  }

  /**
   * Releases the lock to the next verifier, and closes everything that would keep the page out of the back/forward
   * cache.
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
      // The lock was refused, or taken away by `steal`.
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
