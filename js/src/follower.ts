import type { Mode } from '../types/index.js'
import { BackOff } from './back-off.js'
import type { Emitter } from './emitter.js'
import { pause, type Host } from './host.js'
import type { RemoteList } from './remote-list.js'
import { SILENCE_MS } from './saved-list.js'
import { isLasting, startError } from './starts.js'
import { OutOfTime } from './unreachable.js'

/** Milliseconds, at most, after the first failure. */
const FIRST_PAUSE_MS = 500
/** The longest pause while there is no list at all. */
const LONGEST_START_PAUSE_MS = 5_000
/** A stream that could not be had is left alone for so long at first, while polling works. */
const FIRST_STREAM_REST_MS = 2_000
const LONGEST_STREAM_REST_MS = 300_000

/** Keeps a remote list fresh for as long as a process runs: by the stream, else by polling. */
export class Follower {
  readonly #remote: RemoteList
  readonly #host: Host
  readonly #news: Emitter
  readonly #closed = new AbortController()
  readonly #retry: BackOff
  readonly #streamRest: BackOff
  #streamNotBefore: number
  #isStreamDoubted = false
  #asking: Promise<void> | undefined
  mode: Mode = 'poll'

  constructor(remote: RemoteList, host: Host, news: Emitter, wantsStream: boolean) {
    this.#remote = remote
    this.#host = host
    this.#news = news
    this.#retry = new BackOff(host, FIRST_PAUSE_MS)
    this.#streamRest = new BackOff(host, FIRST_STREAM_REST_MS)
    this.#streamNotBefore = wantsStream ? -Infinity : Infinity
  }

  /**
   * Resolves with the first list, the issuer's or a saved one. Tries again until `withinMs` have passed, unless another try
   * would bring the same.
   */
  async start(withinMs: number): Promise<void> {
    const late = this.#host.after(withinMs, () => this.#end(new OutOfTime(withinMs)))
    let last: unknown
    while (!this.#closed.signal.aborted) {
      // A store that hangs is to leave the issuer some of the time.
      await this.#remote.restore(this.#closed.signal, withinMs / 2)
      if (this.#remote.holdsList) {
        late()
        return this.#startSaved(withinMs)
      }
      try {
        await this.ask()
        late()
        this.#retry.reset()
        void this.#run()
        return
      } catch (error) {
        const previous = last
        // What ended with the time says less than what went wrong before.
        last = this.#closed.signal.aborted ? (last ?? error) : error
        if (isLasting(error, previous)) break
      }
      await this.#pause(this.#retry.next(LONGEST_START_PAUSE_MS))
    }
    late()
    const error = startError(last, this.#closed.signal.aborted ? withinMs : undefined)
    this.close()
    throw error
  }

  /** Asks now, or joins the question under way. */
  ask(): Promise<void> {
    return (this.#asking ??= this.#ask().finally(() => (this.#asking = undefined)))
  }

  /** Asks now, in the background. */
  askSoon(): void {
    void this.#attempt(() => this.ask())
  }

  close(): void {
    this.#end(new Error('the verifier was closed'))
  }

  #end(reason: Error): void {
    this.mode = 'closed'
    this.#closed.abort(reason)
    this.#saveSoon()
  }

  /** Resolves with the issuer's answer, its first failure, or a moment of silence: a list is held already. */
  async #startSaved(withinMs: number): Promise<void> {
    const asked = this.#attempt(() => this.ask())
    const answered = new AbortController()
    void asked.then(() => answered.abort())
    await pause(this.#host, Math.min(SILENCE_MS, withinMs), answered.signal)
    void asked.then(async hasAnswered => {
      if (!hasAnswered) await this.#pause(this.#retry.next(LONGEST_START_PAUSE_MS))
      return this.#run()
    })
  }

  async #ask(): Promise<void> {
    await this.#remote.ask(this.#closed.signal)
    this.#saveSoon()
  }

  /** Behind whatever goes on: no list waits for a store. */
  #saveSoon(): void {
    void this.#remote.save(this.#closed.signal)
  }

  async #run(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      // Stays so when not even a new verifier can be made, for want of memory.
      let ms = LONGEST_START_PAUSE_MS
      await this.#attempt(async () => (ms = await this.#turn()))
      await this.#pause(ms)
    }
  }

  /** Stays up to date for as long as it goes; answers with the milliseconds to pause before the next try. */
  async #turn(): Promise<number> {
    const { ttlMs } = this.#remote
    if (!(await this.#attempt(() => this.#remote.prepare(this.#closed.signal)))) return this.#retry.next(ttlMs)
    const isDoubted = this.#isStreamDoubted
    this.#isStreamDoubted = false
    const streamed = !isDoubted && this.#host.monotonic() >= this.#streamNotBefore
    if (streamed) {
      const came = await this.#follow()
      if (came !== 'nothing' && this.#remote.isLate) return this.#doubtStream(ttlMs)
      if (came === 'news') return this.#retry.next(ttlMs)
    }
    if (!(await this.#attempt(() => this.ask()))) return this.#retry.next(ttlMs)
    this.#retry.reset()
    // The issuer is there and its stream is not: poll, and try it again later and later.
    if (streamed || (isDoubted && !this.#remote.isLate))
      this.#streamNotBefore = this.#host.monotonic() + this.#streamRest.next(LONGEST_STREAM_REST_MS)
    return Math.min(this.#remote.pollMs, this.#streamNotBefore - this.#host.monotonic())
  }

  /**
   * The stream brought nothing newer for too long: a cache may repeat it, or the issuer has nothing newer. The list is asked
   * for next, and not by all verifiers at once.
   */
  #doubtStream(ttlMs: number): number {
    this.#isStreamDoubted = true
    return 0.4 * ttlMs * this.#host.random()
  }

  /** Follows the stream to its end, and answers with the most that came of it. */
  async #follow(): Promise<'nothing' | 'opened' | 'news'> {
    const started = this.#host.monotonic()
    let came: 'nothing' | 'opened' | 'news' = 'nothing'
    const listener = (event: 'opened' | 'news') => {
      came = event
      if (event === 'news') this.#saveSoon()
      else if (!this.#closed.signal.aborted) this.mode = 'stream'
    }
    await this.#attempt(() => this.#remote.follow(this.#closed.signal, listener))
    if (!this.#closed.signal.aborted) this.mode = 'poll'
    const spoke = (came as string) === 'news'
    if (spoke) this.#streamRest.reset()
    // One that ends as soon as it has spoken is no reason to hurry back.
    if (spoke && this.#host.monotonic() - started > this.#remote.ttlMs) this.#retry.reset()
    return came
  }

  /** Whether it came out; if not, listeners are told why. */
  async #attempt(act: () => Promise<unknown>): Promise<boolean> {
    const { signal } = this.#closed
    try {
      if (!signal.aborted) await act()
      return !signal.aborted
    } catch (error) {
      if (!signal.aborted) this.#news.emit('error', error as Error)
      return false
    }
  }

  #pause(ms: number): Promise<void> {
    return pause(this.#host, ms, this.#closed.signal)
  }
}
