import type { Host } from './host.js'
import type { Channel, Locks, Origin } from './origin.js'

/** A list is passed on as it was signed. Raised when anything else is ever said on the channel. */
const VERSION = 1

/** Milliseconds; a page that is away waits until it is back. */
const UNTIL_BACK_MS = 3_600_000

/** How a verifier of this origin stands to the others of the same issuer. */
export type Part =
  /** It holds the lock: the stream is its to open. */
  | 'leads'
  /** Another one leads, or is about to. */
  | 'follows'
  /** Locks are refused here (a sandboxed frame, a browser without storage): no stream, and no page to share with. */
  | 'alone'
  /** The page is frozen or in the back/forward cache. */
  | 'away'

/** Where a stream can be shared, and whose it is. */
export interface Shareable {
  readonly origin: Omit<Origin, 'locks'> & { readonly locks: Locks }
  readonly issuer: string
}

/**
 * One stream for all pages and workers of an origin. A browser opens six HTTP/1.1 connections to a host, and a stream for each page would take
 * them all. The page that holds a Web Lock has the stream, and passes each newer list on by a BroadcastChannel. Nothing that comes by the channel
 * is believed for that: it is a list, and the hearer's own verifier takes it or not.
 */
export class SharedStream {
  readonly #origin: Shareable['origin']
  readonly #host: Host
  /** An issuer has no `#`, so that a realm and a filter can be added to the name after one. */
  readonly #name: string
  readonly #hear: (list: string) => void
  readonly #changed: () => void
  #part: Part = 'follows'
  #heardAt = -Infinity
  #chance = 0
  #channel: Channel | undefined
  #present: AbortController | undefined
  #stopListening = () => {}

  /** @param changed the part is another one now */
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
   * Milliseconds for which another one's lists may be waited for; 0 when this one has to ask the issuer. Whoever leads may be frozen, at
   * fault or an attacker: without a newer list for two `ttl`, or a little less by chance so that not all ask at once, each asks for itself.
   */
  patienceMs(ttlMs: number): number {
    if (this.#part === 'away') return UNTIL_BACK_MS
    if (this.#part !== 'follows' || this.#channel === undefined) return 0
    return Math.max(0, this.#heardAt + ttlMs * (1.75 + 0.25 * this.#chance) - this.#host.monotonic())
  }

  /** A list that another one passed on was newer. */
  heard(): void {
    this.#heardAt = this.#host.monotonic()
    this.#chance = this.#host.random()
  }

  /** Takes part. Call it with a list at hand: one that cannot have one should not lead. */
  start(): void {
    this.heard()
    this.#stopListening = this.#origin.onAway(isAway => (isAway ? this.#leave('away') : this.#comeBack()))
    this.#enter()
  }

  /** Passes a list on. */
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
    // What was passed on meanwhile was missed.
    this.#heardAt = -Infinity
    this.#enter()
  }

  /** Gives the lock to the next one, and keeps nothing open that would bar the page from the back/forward cache. */
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
      // Refused, or taken away by `steal`.
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
