import { TokenError } from './errors.js'
import type { Host } from './host.js'

/**
 * When a list last brought a newer time. An answer of 200 says nothing about that: a service worker, a proxy or a CDN may
 * repeat an old list for ever. Keeps numbers only, so that it may live at a Worker's module scope.
 */
export class Newness {
  readonly #host: Host
  #newerAt = -Infinity
  #pastCachesNotBefore = -Infinity

  constructor(host: Host) {
    this.#host = host
  }

  /** A list was newer than the one before. */
  brought(): void {
    this.#newerAt = this.#host.monotonic()
  }

  /** Whether that is longer ago than a `ttl`. */
  isLate(ttlMs: number): boolean {
    return this.#host.monotonic() - this.#newerAt > ttlMs
  }

  /** Milliseconds until the next poll: sooner after an answer without a newer list, so that a cache is noticed within two `ttl`. */
  pollMs(ttlMs: number): number {
    const { monotonic, random } = this.#host
    const chance = random()
    const usual = ttlMs * (0.8 + 0.2 * chance)
    const untilLate = this.#newerAt + ttlMs * (1.4 + 0.4 * chance) - monotonic()
    return untilLate > 0 ? Math.min(usual, untilLate) : usual
  }

  /**
   * Whether to ask past caches now; at most once a `ttl`, because the issuer itself may have nothing newer for a long time
   * and all verifiers ask then.
   */
  mayAskPastCaches(ttlMs: number): boolean {
    const now = this.#host.monotonic()
    if (!this.isLate(ttlMs) || now < this.#pastCachesNotBefore) return false
    this.#pastCachesNotBefore = now + ttlMs
    return true
  }

  /**
   * The same address with the one parameter that the issuer knows and a cache at fault has not seen (FORMAT.md §4): the time, in steps of a
   * fifth of a `ttl`, so that all verifiers share few addresses when the issuer itself has nothing newer.
   */
  pastCaches(address: string, ttlMs: number): string {
    // Not through URL, which would write the `:` of `since` as `%3A`: a list has one address.
    const step = Math.max(1, Math.floor(ttlMs / 5000))
    const secs = Math.floor(this.#host.now() / 1000 / step) * step
    return `${address}${address.includes('?') ? '&' : '?'}fresh=${secs}`
  }

  /** What is told once caches were asked past. */
  failure(list: string, asOf: number | null, wasCached: boolean): TokenError {
    const time = asOf === null ? 'before' : new Date(asOf * 1000).toISOString()
    const message = wasCached
      ? `a cache (a service worker, proxy or CDN) answered ${list} with the list of ${time}; a request past it brought a newer one`
      : `${list} has nothing newer than the list of ${time}, also when asked past caches: the issuer has no newer list, or a cache answers for it all the same`
    return new TokenError('ERR_LIST_NOT_NEWER', message, { asOf, cached: wasCached })
  }
}
