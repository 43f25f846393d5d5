import type { Mode } from '../types/index.js'
import type { Emitter } from './emitter.js'
import { TokenError, isTokenError } from './errors.js'
import { pause, type Host } from './host.js'
import type { RemoteList } from './remote-list.js'

/** Milliseconds after the first failure; doubled by each further one. */
const FIRST_BACK_OFF_MS = 500
/** The longest time in which a stream that could not be had is not tried again. */
const LONGEST_STREAM_REST_MS = 300_000

/** Keeps a remote list fresh for as long as a process runs: by the stream, else by polling. */
export class Follower {
  readonly #remote: RemoteList
  readonly #host: Host
  readonly #news: Emitter
  readonly #wantsStream: boolean
  readonly #closed = new AbortController()
  #asking: Promise<void> | undefined
  mode: Mode = 'poll'

  constructor(remote: RemoteList, host: Host, news: Emitter, wantsStream: boolean) {
    this.#remote = remote
    this.#host = host
    this.#news = news
    this.#wantsStream = wantsStream
  }

  /** Resolves with the first list; tries again until `withinMs` have passed. */
  async start(withinMs: number): Promise<void> {
    const late = this.#host.after(withinMs, () => this.close())
    let last: unknown
    for (let failures = 0; ; failures++) {
      if (failures > 0) await this.#pause(this.#backOff(failures, FIRST_BACK_OFF_MS, 5_000))
      if (this.#closed.signal.aborted) break
      try {
        await this.ask()
        late()
        void this.#run()
        return
      } catch (error) {
        last = this.#closed.signal.aborted ? (last ?? error) : error
        if (isTokenError(error, 'ERR_METADATA_INVALID')) break
      }
    }
    late()
    this.close()
    if (isTokenError(last)) throw last
    const why = last instanceof Error ? `: ${last.message}` : ''
    throw new TokenError('ERR_LIST_MISSING', `no revocation list in ${withinMs} ms${why}`, { withinMs }, { cause: last })
  }

  /** Asks now, or joins the question under way. */
  ask(): Promise<void> {
    return (this.#asking ??= this.#remote.ask(this.#closed.signal).finally(() => (this.#asking = undefined)))
  }

  /** Asks now, in the background. */
  askSoon(): void {
    void this.#attempt(() => this.ask())
  }

  close(): void {
    this.mode = 'closed'
    this.#closed.abort(new Error('the verifier was closed'))
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed
    let failures = 0
    let streamFailures = 0
    let streamNotBefore = this.#wantsStream ? -Infinity : Infinity
    while (!signal.aborted) {
      const found = await this.#attempt(() => this.#remote.prepare(signal))
      if (found && this.#host.monotonic() >= streamNotBefore) {
        const opened = this.#host.monotonic()
        if (await this.#follow()) {
          streamFailures = 0
          // One that ends as soon as it has spoken is not reason enough to hurry.
          failures = this.#host.monotonic() - opened > this.#remote.ttlMs ? 0 : failures + 1
          await this.#pause(this.#backOff(failures, FIRST_BACK_OFF_MS, this.#remote.ttlMs))
          continue
        }
      }
      if (!found || !(await this.#attempt(() => this.ask()))) {
        // The issuer is away, stream and all: come back by whichever answers first.
        failures++
        await this.#pause(this.#backOff(failures, FIRST_BACK_OFF_MS, this.#remote.ttlMs))
        continue
      }
      failures = 0
      if (this.#host.monotonic() >= streamNotBefore) {
        streamFailures++
        streamNotBefore = this.#host.monotonic() + this.#backOff(streamFailures, 1000, LONGEST_STREAM_REST_MS)
      }
      const nextPoll = this.#remote.ttlMs * (0.8 + 0.2 * this.#host.random())
      await this.#pause(Math.min(nextPoll, streamNotBefore - this.#host.monotonic()))
    }
  }

  /** Whether the stream brought anything before it ended. */
  async #follow(): Promise<boolean> {
    let spoke = false
    const listener = (event: 'opened' | 'news') => {
      if (event === 'news') spoke = true
      else if (!this.#closed.signal.aborted) this.mode = 'stream'
    }
    await this.#attempt(() => this.#remote.follow(this.#closed.signal, listener))
    if (!this.#closed.signal.aborted) this.mode = 'poll'
    return spoke
  }

  /** Whether it came out. */
  async #attempt(act: () => Promise<unknown>): Promise<boolean> {
    if (this.#closed.signal.aborted) return false
    try {
      await act()
      return true
    } catch (error) {
      this.#failed(error)
      return false
    }
  }

  #failed(error: unknown): void {
    if (!this.#closed.signal.aborted) this.#news.emit('error', error as Error)
  }

  #pause(ms: number): Promise<void> {
    return pause(this.#host, ms, this.#closed.signal)
  }

  /** Doubles up to `longest`, and falls anywhere in the upper half, so that verifiers do not come back all at once. */
  #backOff(failures: number, first: number, longest: number): number {
    return Math.min(longest, first * 2 ** Math.min(failures, 20)) * (0.5 + 0.5 * this.#host.random())
  }
}
