import type { Mode, WaitUntil } from '../types/index.js'
import type { Emitter } from './emitter.js'
import { pause, type Host } from './host.js'
import { IdleTimeout } from './idle-timeout.js'
import type { RemoteList } from './remote-list.js'
import { SILENCE_MS, startError } from './starts.js'

/**
 * The number of milliseconds for which a request holds a stream. A Worker can run for 30 s after its response, so this
 * time must be shorter.
 */
const HOLD_MS = 25_000
/**
 * The number of milliseconds after which a refresh counts as lost. If the platform stops a request of the application,
 * the refresh that runs in this request stops too, and never reports its end.
 */
const LEASE_MS = HOLD_MS + 10_000
/** The number of milliseconds before an unavailable stream is tried again. */
const STREAM_REST_MS = 60_000
/**
 * An issuer is in an outage if its newest list is older than this many `ttl` (FORMAT.md §6). If a saved list is older
 * than this, the first refresh waits for a newer list. Otherwise a running issuer would seem to be in an outage.
 */
const OUTAGE_TTLS = 3
/**
 * The issuer is not asked again for this many milliseconds after a failure. Otherwise, during an outage, each request
 * of the application would wait for the issuer.
 */
const REST_MS = 5_000

/**
 * Keeps a remote list up to date from within requests. In a Worker, a request must not use the I/O of another request.
 * Therefore each promise, signal and stream ends with the request that created it. Only numbers are kept between
 * requests.
 */
export class LazyFollower {
  readonly #remote: RemoteList
  readonly #host: Host
  readonly #news: Emitter
  readonly #wantsStream: boolean
  #lease = 0
  #leasedUntil = -Infinity
  #askedAt = -Infinity
  #streamNotBefore = -Infinity
  #askNotBefore = -Infinity
  /** The error of the last attempt to get the first list. */
  #failure: unknown
  #isHeld = false
  #isClosed = false

  constructor(remote: RemoteList, host: Host, news: Emitter, wantsStream: boolean) {
    this.#remote = remote
    this.#host = host
    this.#news = news
    this.#wantsStream = wantsStream
  }

  get mode(): Mode {
    if (this.#isClosed) return 'closed'
    return this.#isHeld ? 'stream' : 'request'
  }

  /**
   * If another request holds a stream, `close` does not end the stream. The other request ends the stream when the next
   * list arrives, or after 25 s.
   */
  close(): void {
    this.#isClosed = true
  }

  async refresh(ctx?: WaitUntil): Promise<void> {
    if (!this.#remote.holdsList) await this.#first(ctx)
    else if (ctx === undefined && this.#isDue()) await this.#renew()
    if (this.#remote.isBehind) {
      const saved = this.#save()
      if (ctx === undefined) await saved
      else ctx.waitUntil(saved)
    }
    if (ctx === undefined || this.#host.monotonic() < this.#leasedUntil) return
    if (this.#mayStream() || this.#isDue()) ctx.waitUntil(this.#inBackground())
  }

  /** Called when a token named an unknown key. The next request then asks the issuer. */
  askSoon(): void {
    this.#askedAt = -Infinity
  }

  /** Waits for a list, from the store or from the issuer. */
  async #first(ctx: WaitUntil | undefined): Promise<void> {
    await this.#remote.restore(new AbortController().signal)
    if (this.#remote.holdsList) {
      const { stale, age, ttl } = this.#remote.serving.status()
      const mayBeLate = ctx === undefined || stale || age! > OUTAGE_TTLS * ttl!
      if (mayBeLate && this.#isDue()) await this.#renew(SILENCE_MS)
      return
    }
    if (this.#failure !== undefined && this.#host.monotonic() < this.#askNotBefore) throw this.#failure
    try {
      await this.#ask(new AbortController().signal)
    } catch (error) {
      this.#askNotBefore = this.#host.monotonic() + REST_MS
      throw (this.#failure = startError(error))
    }
  }

  #isDue(): boolean {
    const now = this.#host.monotonic()
    return now - this.#askedAt >= this.#remote.ttlMs && now >= this.#askNotBefore
  }

  #mayStream(): boolean {
    return this.#wantsStream && this.#host.monotonic() >= this.#streamNotBefore
  }

  async #ask(signal: AbortSignal): Promise<void> {
    await this.#remote.ask(signal)
    this.#askedAt = this.#host.monotonic()
  }

  /**
   * Asks the issuer for a newer list. If the issuer fails or takes too long, the verifier continues with the list that
   * it holds.
   */
  async #renew(withinMs?: number): Promise<void> {
    const timeout = new IdleTimeout(this.#host, new AbortController().signal)
    if (withinMs !== undefined) timeout.limit(withinMs)
    try {
      await this.#ask(timeout.signal)
    } catch (error) {
      this.#askNotBefore = this.#host.monotonic() + REST_MS
      if (!this.#isClosed) this.#news.emit('error', error as Error)
    } finally {
      timeout.end()
    }
  }

  #save(): Promise<void> {
    return this.#remote.save(new AbortController().signal)
  }

  /** Holds the stream, or asks the issuer once. Never rejects. */
  async #inBackground(): Promise<void> {
    const lease = ++this.#lease
    this.#leasedUntil = this.#host.monotonic() + LEASE_MS
    try {
      // A stream that repeats old lists counts as unavailable.
      if (this.#mayStream() && (await this.#hold()) && !this.#remote.isLate) return
      if (this.#isDue()) await this.#renew()
      await this.#save()
    } finally {
      if (lease === this.#lease) this.#leasedUntil = -Infinity
    }
  }

  /** Holds the stream for `HOLD_MS`. Returns whether the stream was available. */
  async #hold(): Promise<boolean> {
    const enough = new AbortController()
    const opened = this.#host.monotonic()
    let spoke = false
    const saves: Promise<void>[] = []
    const listener = (event: 'opened' | 'news') => {
      this.#isHeld = true
      if (event === 'opened') return
      spoke = true
      this.#askedAt = this.#host.monotonic()
      saves.push(this.#save())
    }
    void pause(this.#host, HOLD_MS, enough.signal).then(() => enough.abort())
    try {
      await this.#remote.follow(enough.signal, listener)
    } catch (error) {
      if (!enough.signal.aborted && !this.#isClosed) this.#news.emit('error', error as Error)
    } finally {
      enough.abort()
      this.#isHeld = false
    }
    await Promise.all(saves)
    const held = spoke || this.#host.monotonic() - opened >= HOLD_MS
    if (!held) this.#streamNotBefore = this.#host.monotonic() + STREAM_REST_MS
    return held
  }
}
