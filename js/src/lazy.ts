import type { Mode, WaitUntil } from '../types/index.js'
import type { Emitter } from './emitter.js'
import { pause, type Host } from './host.js'
import type { RemoteList } from './remote-list.js'
import { SILENCE_MS } from './saved-list.js'
import { Silence } from './silence.js'
import { startError } from './starts.js'

/** Workers may go on for 30 s after their answer: hold the stream a little less. */
const HOLD_MS = 25_000
/** A refresh that was cut off with its request says nothing; after this time it is taken for gone. */
const LEASE_MS = HOLD_MS + 10_000
/** How long a stream that could not be had is not tried again. */
const STREAM_REST_MS = 60_000
/** Unheard of for so many `ttl`, an issuer counts as away (FORMAT.md §6): a saved list that is older would say so of one that was not asked. */
const OUTAGE_TTLS = 3
/** After a failure: every request of an outage must not ask, and wait, anew. */
const REST_MS = 5_000

/**
 * Keeps a remote list fresh from within requests. No promise, signal or stream outlives the request that made it, for a
 * Worker must not touch another request's I/O; what is kept between requests are numbers.
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
  /** Why there is no list. */
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

  /** A stream that another request holds is that request's to end: it ends with the next list, or after its 25 s. */
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

  /** A token named an unknown key: the next request asks. */
  askSoon(): void {
    this.#askedAt = -Infinity
  }

  /** Waits for a list: the saved one, or the issuer's. */
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

  /** Asks on top of a list that is held, with which a request goes on when the issuer cannot be had, or not so soon. */
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

  /** Holds the stream, or asks. Never rejects. */
  async #inBackground(): Promise<void> {
    const lease = ++this.#lease
    this.#leasedUntil = this.#host.monotonic() + LEASE_MS
    try {
      // A stream that repeats old lists is as good as none.
      if (this.#mayStream() && (await this.#hold()) && !this.#remote.isLate) return
      if (this.#isDue()) await this.#renew()
      await this.#save()
    } finally {
      if (lease === this.#lease) this.#leasedUntil = -Infinity
    }
  }

  /** Whether the stream could be had. */
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
