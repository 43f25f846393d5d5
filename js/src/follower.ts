import type { Mode } from '../types/index.js'
import { BackOff } from './back-off.js'
import type { Emitter } from './emitter.js'
import { pause, type Host } from './host.js'
import type { RemoteList } from './remote-list.js'
import { SharedStream, type Shareable } from './shared-stream.js'
import { SILENCE_MS, isLasting, startError } from './starts.js'
import { OutOfTime } from './unreachable.js'

/** The maximum of the first pause after a failure, in milliseconds. */
const FIRST_PAUSE_MS = 500
/** The maximum of a pause while no list is held, in milliseconds. */
const LONGEST_START_PAUSE_MS = 5_000
/**
 * The maximum of the first pause before an unavailable stream is tried again, in milliseconds. Meanwhile the verifier
 * polls.
 */
const FIRST_STREAM_REST_MS = 2_000
const LONGEST_STREAM_REST_MS = 300_000

/** Keeps a remote list up to date while a process runs. Uses the stream, and polls while no stream is available. */
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
  /** Set only in a browser whose pages share one stream. */
  readonly #shared: SharedStream | undefined
  #isRunning = false
  #gapNotBefore = -Infinity
  /** `#nap` ends the current pause, and `#streaming` ends the current stream. */
  #nap = new AbortController()
  #streaming = new AbortController()
  mode: Mode = 'poll'

  constructor(
    remote: RemoteList,
    host: Host,
    news: Emitter,
    { wantsStream, shareable }: { readonly wantsStream: boolean; readonly shareable?: Shareable | undefined },
  ) {
    this.#remote = remote
    this.#host = host
    this.#news = news
    this.#retry = new BackOff(host, FIRST_PAUSE_MS)
    this.#streamRest = new BackOff(host, FIRST_STREAM_REST_MS)
    this.#streamNotBefore = wantsStream ? -Infinity : Infinity
    if (!wantsStream || shareable === undefined) return
    const hear = (list: string) => this.#hear(list)
    this.#shared = new SharedStream(shareable, host, { hear, changed: () => this.#stir() })
    // The lists that this page gets from the issuer are passed on to other pages. There are two exceptions: the lists
    // that this page gets at its start, and the lists that this page requests while it uses the lists of another page.
    remote.passOn = list => void (this.#isRunning && this.mode !== 'shared' && this.#shared!.pass(list))
  }

  /**
   * Resolves when the verifier holds its first list, which comes from the issuer or from the store. Retries until
   * `withinMs` milliseconds have passed. Does not retry after an error that the next try would repeat.
   */
  async start(withinMs: number): Promise<void> {
    const late = this.#host.after(withinMs, () => this.#end(new OutOfTime(withinMs)))
    let last: unknown
    while (!this.#closed.signal.aborted) {
      // The store gets only half of the time, so that a store that hangs leaves time for the issuer.
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
        // At the time limit, the previous error is kept, because the error of the aborted request contains less
        // information.
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

  /** Asks the issuer now. If a request is under way already, returns the promise of that request. */
  ask(): Promise<void> {
    return (this.#asking ??= this.#ask().finally(() => (this.#asking = undefined)))
  }

  /** Asks the issuer now, and does not wait for the answer. */
  askSoon(): void {
    void this.#attempt(() => this.ask())
  }

  close(): void {
    this.#end(new Error('the verifier was closed'))
  }

  #end(reason: Error): void {
    this.mode = 'closed'
    this.#closed.abort(reason)
    this.#shared?.close()
    this.#stir()
    this.#saveSoon()
  }

  /**
   * Called at a start with a saved list. Asks the issuer for a newer list. Resolves when the issuer has answered or the
   * request has failed, but after at most `SILENCE_MS` (or `withinMs`, if `withinMs` is shorter).
   */
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

  /** Saves in the background. The verifier uses a new list even before the store contains the list. */
  #saveSoon(): void {
    void this.#remote.save(this.#closed.signal)
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    if (!this.#closed.signal.aborted) this.#shared?.start()
    while (!this.#closed.signal.aborted) {
      this.#nap = new AbortController()
      // The pause if the next turn fails, for example because there is not enough memory for a new verifier.
      let ms = LONGEST_START_PAUSE_MS
      await this.#attempt(async () => (ms = await this.#turn()))
      if (!this.#closed.signal.aborted) await pause(this.#host, ms, this.#nap.signal)
    }
  }

  /**
   * Called in three cases: when this page starts or stops being the leader; when this page is frozen or restored; and
   * when the verifier is closed.
   */
  #stir(): void {
    this.#nap.abort()
    if (this.#closed.signal.aborted || this.#shared?.part !== 'leads') this.#streaming.abort()
  }

  /** Handles a list that another page passed on. */
  #hear(list: string): void {
    if (this.#closed.signal.aborted) return
    const outcome = this.#remote.hear(list)
    if (outcome === 'news') {
      this.#shared?.heard()
      this.#saveSoon()
      if (this.#shared?.part === 'follows') this.#become('shared')
    }
    // Even many messages on the channel cause at most one request per `ttl`.
    const now = this.#host.monotonic()
    if (outcome !== 'gap' || now < this.#gapNotBefore) return
    this.#gapNotBefore = now + this.#remote.ttlMs
    this.askSoon()
  }

  #become(mode: Mode): void {
    if (!this.#closed.signal.aborted) this.mode = mode
  }

  /**
   * One turn of the loop: polls once, follows the stream until the stream ends, or waits for another page's lists.
   * Returns the number of milliseconds to pause before the next turn.
   */
  async #turn(): Promise<number> {
    const { ttlMs } = this.#remote
    if (!(await this.#attempt(() => this.#remote.prepare(this.#closed.signal)))) return this.#retry.next(ttlMs)
    // The rest of this turn takes all earlier events into account. Only an event that occurs after this line ends the
    // next pause.
    this.#nap = new AbortController()
    const patienceMs = this.#shared?.patienceMs(ttlMs) ?? 0
    this.#become(patienceMs > 0 ? 'shared' : 'poll')
    if (patienceMs > 0) return patienceMs
    return this.#askOrFollow(ttlMs, this.#shared === undefined || this.#shared.part === 'leads')
  }

  async #askOrFollow(ttlMs: number, mayStream: boolean): Promise<number> {
    const isDoubted = this.#isStreamDoubted
    this.#isStreamDoubted = false
    const streamed = mayStream && !isDoubted && this.#host.monotonic() >= this.#streamNotBefore
    if (streamed) {
      const came = await this.#follow()
      if (this.#streaming.signal.aborted) return 0 // another page may lead now
      if (came !== 'nothing' && this.#remote.isLate) return this.#doubtStream(ttlMs)
      if (came === 'news') return this.#retry.next(ttlMs)
    }
    if (!(await this.#attempt(() => this.ask()))) return this.#retry.next(ttlMs)
    this.#retry.reset()
    // The issuer answers, but its stream is not available. Therefore this verifier polls, and tries the stream again
    // after a pause. The pause becomes longer after each failed try.
    if (streamed || (isDoubted && !this.#remote.isLate))
      this.#streamNotBefore = this.#host.monotonic() + this.#streamRest.next(LONGEST_STREAM_REST_MS)
    const untilStream = mayStream ? this.#streamNotBefore - this.#host.monotonic() : Infinity
    return Math.min(this.#remote.pollMs, untilStream)
  }

  /**
   * Called when the stream brought no newer list for too long. There are two possible reasons: a cache repeats an old
   * list, or the issuer has nothing newer. The next turn requests the list directly. The pause before that turn is
   * random, so that not all verifiers ask at once.
   */
  #doubtStream(ttlMs: number): number {
    this.#isStreamDoubted = true
    return 0.4 * ttlMs * this.#host.random()
  }

  /**
   * Follows the stream until the stream ends. Returns `'news'` if a newer list came, `'opened'` if the stream only
   * opened, and `'nothing'` if the stream did not open.
   */
  async #follow(): Promise<'nothing' | 'opened' | 'news'> {
    const started = this.#host.monotonic()
    let came: 'nothing' | 'opened' | 'news' = 'nothing'
    const listener = (event: 'opened' | 'news') => {
      came = event
      if (event === 'news') this.#saveSoon()
      else this.#become('stream')
    }
    const { signal } = (this.#streaming = new AbortController())
    // This page itself can end the stream, for example so that another page can open a stream. In this case no error is
    // reported.
    await this.#attempt(() =>
      this.#remote.follow(signal, listener).catch(error => signal.aborted || Promise.reject(error)),
    )
    this.#become('poll')
    const spoke = (came as string) === 'news'
    if (spoke) this.#streamRest.reset()
    // After a stream that lasted at most one `ttl`, the pause before the next connection keeps growing. Otherwise a
    // server that ends each stream after the first list would cause many connections.
    if (spoke && this.#host.monotonic() - started > this.#remote.ttlMs) this.#retry.reset()
    return came
  }

  /** Runs `act`. Returns whether `act` succeeded. After a failure, emits the error. */
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
