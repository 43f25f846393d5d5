import type { Host } from './host.js'

/**
 * Pauses after failures. The maximum of a pause doubles from `firstMs` up to a limit. The pause is a random time
 * between half of this maximum and the maximum itself. Without the random time, all verifiers that lost their issuer at
 * the same time would also ask again at the same time.
 */
export class BackOff {
  readonly #host: Host
  readonly #firstMs: number
  #failures = 0

  constructor(host: Host, firstMs: number) {
    this.#host = host
    this.#firstMs = firstMs
  }

  /** Counts one more failure. Returns the number of milliseconds to pause. */
  next(longestMs: number): number {
    const most = Math.min(longestMs, this.#firstMs * 2 ** this.#failures)
    this.#failures = Math.min(this.#failures + 1, 30)
    return most * (0.5 + 0.5 * this.#host.random())
  }

  reset(): void {
    this.#failures = 0
  }
}
