import { fetchText, type Http } from './http.js'
import type { ReplaceableVerifier } from './replaceable-verifier.js'

const MAX_JWKS_BYTES = 256 * 1024
/**
 * The minimum number of milliseconds between two JWKS requests that unknown keys cause. Without this limit, anyone
 * could cause many requests with tokens that contain an unknown `kid`.
 */
const COOL_DOWN_MS = 60_000

/** Decides when to request the issuer's key set, requests it, and adds the keys to the verifier. */
export class IssuerKeys {
  readonly #http: Http
  readonly #verifier: ReplaceableVerifier
  readonly #report: (error: Error) => void
  #state: 'lacking' | 'in doubt' | 'held'
  #askedAt = -Infinity
  #mayBeCached = false

  /** @param arePinned Whether the application gave the keys. If so, the keys are held from the beginning. */
  constructor(http: Http, verifier: ReplaceableVerifier, arePinned: boolean, report: (error: Error) => void) {
    this.#http = http
    this.#verifier = verifier
    this.#report = report
    this.#state = arePinned ? 'held' : 'lacking'
  }

  /**
   * Call this method when a token names an unknown key. Returns whether to request the keys again now.
   *
   * @param isReachable Whether the last request reached the issuer
   */
  want(isReachable: boolean): boolean {
    if (this.#state === 'lacking' || this.areCooling()) return false
    // The keys are already marked as wanted, but the issuer could not be reached. The next request that reaches the
    // issuer asks for the keys first.
    if (this.#state === 'in doubt' && !isReachable) return false
    this.#state = 'in doubt'
    return true
  }

  /** Call this method when the verifier has loaded a saved list and the keys that were saved with the list. */
  restored(): void {
    this.#state = 'held'
  }

  /**
   * Whether the last request for the keys is so recent that the keys are not requested again yet. While no list is
   * held, an answer that may be from a cache does not count. Such an answer may lack the key that signed the first
   * list.
   */
  areCooling(): boolean {
    if (this.#mayBeCached && !this.#verifier.holdsList) return false
    return this.#http.host.monotonic() - this.#askedAt < COOL_DOWN_MS
  }

  /** Requests the keys if they are missing, or if a token named an unknown key. */
  async prepare(url: string, signal: AbortSignal): Promise<void> {
    if (this.#state === 'lacking') await this.fetch(url, signal)
    if (this.#state === 'in doubt') await this.#renew(url, signal)
  }

  /** Requests the keys. A cache is allowed to answer only while the keys are missing. */
  async fetch(url: string, signal: AbortSignal): Promise<void> {
    this.#mayBeCached = this.#state === 'lacking'
    this.#askedAt = this.#http.host.monotonic()
    const cache = this.#mayBeCached ? undefined : 'no-store'
    const request = { url, accept: 'application/json', maxBytes: MAX_JWKS_BYTES, cache, signal } as const
    this.#verifier.addJwks(await fetchText(this.#http, request))
    this.#state = 'held'
  }

  /**
   * Requests the keys again. A failure is only reported, because a forged `kid` must not prevent the verifier from
   * getting a newer list.
   */
  async #renew(url: string, signal: AbortSignal): Promise<void> {
    this.#state = 'held'
    try {
      await this.fetch(url, signal)
    } catch (error) {
      this.#report(error as Error)
    }
  }
}
