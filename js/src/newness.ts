import { TokenError } from './errors.js'
import type { Host } from './host.js'

/**
 * Tracks when a list last brought a newer time. A response with status 200 does not prove that the list is newer: a
 * service worker, proxy or CDN may repeat an old list for ever. Keeps only numbers, so that it can live at the module
 * scope of a Worker.
 */
export class Newness {
  readonly #host: Host
  #newerAt = -Infinity
  #pastCachesNotBefore = -Infinity

  constructor(host: Host) {
    this.#host = host
  }

  /** Records that a list was newer than the list before it. */
  brought(): void {
    this.#newerAt = this.#host.monotonic()
  }

  /** Whether no newer list has arrived for longer than a `ttl`. */
  isLate(ttlMs: number): boolean {
    return this.#host.monotonic() - this.#newerAt > ttlMs
  }

  /**
   * Milliseconds until the next poll. If the last answer brought no newer list, the next poll is sooner, so that an old
   * list from a cache is noticed within two `ttl`.
   */
  pollMs(ttlMs: number): number {
    const { monotonic, random } = this.#host
    const chance = random()
    const usual = ttlMs * (0.8 + 0.2 * chance)
    const untilLate = this.#newerAt + ttlMs * (1.4 + 0.4 * chance) - monotonic()
    return untilLate > 0 ? Math.min(usual, untilLate) : usual
  }

  /**
   * Whether to send a request that bypasses caches now. Returns true at most once per `ttl`: if the issuer has nothing
   * newer for a long time, all verifiers send such requests.
   */
  mayAskPastCaches(ttlMs: number): boolean {
    const now = this.#host.monotonic()
    if (!this.isLate(ttlMs) || now < this.#pastCachesNotBefore) return false
    this.#pastCachesNotBefore = now + ttlMs
    return true
  }

  /**
   * Adds the parameter `fresh`, the only one that the issuer accepts for this purpose (FORMAT.md §4), so that no faulty
   * cache has an answer for the address. The value is the time, in steps of a fifth of a `ttl`. So if the issuer has
   * nothing newer, all verifiers request the same few addresses.
   */
  pastCaches(address: string, ttlMs: number): string {
    // Does not use `URL`, which would write the `:` of `since` as `%3A`: each list must have only one address.
    const step = Math.max(1, Math.floor(ttlMs / 5000))
    const secs = Math.floor(this.#host.now() / 1000 / step) * step
    return `${address}${address.includes('?') ? '&' : '?'}fresh=${secs}`
  }

  /** The error to report after a request that bypassed caches. */
  failure(list: string, asOf: number | null, wasCached: boolean): TokenError {
    const time = asOf === null ? 'an unknown time' : new Date(asOf * 1000).toISOString()
    const message = wasCached
      ? `a cache (a service worker, proxy or CDN) answered ${list} with the list as of ${time}; a request that bypassed the cache brought a newer one`
      : `${list} has no list newer than that as of ${time}, even for a request that bypasses caches: the issuer has no newer list, or a cache answered this request too`
    return new TokenError('ERR_LIST_NOT_NEWER', message, { asOf, cached: wasCached })
  }
}
