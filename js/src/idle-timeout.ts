import type { Host } from './host.js'
import { Unreachable } from './http.js'

/**
 * A signal that aborts when a time limit passes, or when an outer signal aborts. Each call of `limit` replaces the
 * previous limit.
 */
export class IdleTimeout {
  readonly #host: Host
  readonly #outer: AbortSignal
  readonly #abort = new AbortController()
  readonly #stop = () => this.#abort.abort(this.#outer.reason)
  #cancel = () => {}

  constructor(host: Host, outer: AbortSignal) {
    this.#host = host
    this.#outer = outer
    outer.addEventListener('abort', this.#stop)
    if (outer.aborted) this.#stop()
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  limit(ms: number): void {
    this.#cancel()
    this.#cancel = this.#host.after(ms, () =>
      this.#abort.abort(new Unreachable(`no newer list in ${ms} ms`, { reason: 'silence' })),
    )
  }

  end(): void {
    this.#cancel()
    this.#outer.removeEventListener('abort', this.#stop)
  }
}
