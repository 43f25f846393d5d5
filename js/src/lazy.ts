import type { Mode, WaitUntil } from '../types/index.js'
import type { Emitter } from './emitter.js'
import { pause, type Host } from './host.js'
import type { RemoteList } from './remote-list.js'
import { SILENCE_MS } from './saved-list.js'
import { Silence } from './silence.js'
import { startError } from './starts.js'

/** Milliseconds. A Worker may run for 30 s after its response; the stream is held a little shorter. */
const HOLD_MS = 25_000
/**
 * Milliseconds after which a refresh counts as lost. If the request of a refresh was cut off, the refresh never reports
 * its end.
 */
const LEASE_MS = HOLD_MS + 10_000
/** Milliseconds before an unavailable stream is tried again. */
const STREAM_REST_MS = 60_000
/**
 * An issuer counts as away after this many `ttl` without a newer list (FORMAT.md §6). With a saved list that is older,
 * the issuer would count as away before it was asked.
 */
const OUTAGE_TTLS = 3
/**
 * For this many milliseconds after a failure, the issuer is not asked again. Otherwise each request of the application
 * would wait for the issuer during an outage.
 */
const REST_MS = 5_000

/**
 * Keeps a remote list up to date from within requests. No promise, signal or stream outlives the request that created
 * it, because a Worker must not use another request's I/O; only numbers are kept between requests.
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
  /** The reason why there is no list. */
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
   * Does not end a stream that another request holds. That request ends the stream, with the next list or after 25 s.
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

  /** A token named an unknown key, so the next request asks the issuer. */
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

  /** Asks for a newer list. If the issuer fails or takes too long, the request continues with the list that is held. */
  async #renew(withinMs?: number): Promise<void> {
    const silence = new Silence(this.#host, new AbortController().signal)
    if (withinMs !== undefined) silence.limit(withinMs)
    try {
      await this.#ask(silence.signal)
    } catch (error) {
      this.#askNotBefore = this.#host.monotonic() + REST_MS
      if (!this.#isClosed) this.#news.emit('error', error as Error)
    } finally {
      silence.end()
    }
  }

  #save(): Promise<void> {
    return this.#remote.save(new AbortController().signal)
  }

  /** Holds the stream, or asks once. Never rejects. */
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

  /** Returns whether the stream was available. */
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
