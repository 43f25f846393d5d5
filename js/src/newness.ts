import { TokenError } from './errors.js'
import type { Host } from './host.js'

/**
 * Remembers when a newer list last arrived. An answer with status 200 does not prove that its list is newer, because a
 * service worker, proxy or CDN can repeat an old list. Only numbers are kept, so that this object can live at the
 * module scope of a Worker.
 */
export class Newness {
  readonly #host: Host
  #newerAt = -Infinity
  #pastCachesNotBefore = -Infinity

  constructor(host: Host) {
    this.#host = host
  }

  /** Records that a list was newer than the previous list. */
  brought(): void {
    this.#newerAt = this.#host.monotonic()
  }

  /** Whether no newer list has arrived for longer than a `ttl`. */
  isLate(ttlMs: number): boolean {
    return this.#host.monotonic() - this.#newerAt > ttlMs
  }

  /**
   * Milliseconds until the next poll. The pause is shorter if the last answer brought no newer list. So the verifier
   * notices within two `ttl` that a cache sends an old list.
   */
  pollMs(ttlMs: number): number {
    const { monotonic, random } = this.#host
    const chance = random()
    const usual = ttlMs * (0.8 + 0.2 * chance)
    const untilLate = this.#newerAt + ttlMs * (1.4 + 0.4 * chance) - monotonic()
    return untilLate > 0 ? Math.min(usual, untilLate) : usual
  }

  /**
   * Whether a request that bypasses caches may be sent now. Returns true at most once per `ttl`. Without this limit,
   * all verifiers would send many such requests to an issuer that has nothing newer for a long time.
   */
  mayAskPastCaches(ttlMs: number): boolean {
    const now = this.#host.monotonic()
    if (!this.isLate(ttlMs) || now < this.#pastCachesNotBefore) return false
    this.#pastCachesNotBefore = now + ttlMs
    return true
  }

  /** Returns the error to report after a request that bypassed caches. */
  failure(list: string, asOf: number | null, wasCached: boolean): TokenError {
    const time = asOf === null ? 'an unknown time' : new Date(asOf * 1000).toISOString()
    const message = wasCached
      ? `a cache (a service worker, proxy or CDN) answered ${list} with the list as of ${time}; a request that bypassed the cache brought a newer one`
      : `${list} has no list newer than that as of ${time}, even for a request that bypasses caches: the issuer has no newer list, or a cache answered this request too`
    return new TokenError('ERR_LIST_NOT_NEWER', message, { asOf, cached: wasCached })
  }
}
