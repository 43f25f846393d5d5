import type { AtTime, ListStore, Loaded, Status } from '../types/index.js'
import type { Emitter } from './emitter.js'
import { closedVerifier, isTokenError } from './errors.js'
import { EventStreamParser } from './events.js'
import { changeBy } from './handles.js'
import { Unreachable, fetchStream, fetchText, type Http, type PastCaches } from './http.js'
import { IdleTimeout } from './idle-timeout.js'
import { IssuerKeys } from './issuer-keys.js'
import { fresh, since } from './list-address.js'
import { discover, type Endpoints } from './metadata.js'
import { Newness } from './newness.js'
import { ReplaceableVerifier } from './replaceable-verifier.js'
import { SavedList } from './saved-list.js'
import { MAX_LIST_LENGTH, type LocalVerifier } from './verifier.js'

/**
 * The number of milliseconds before the store is read again, if the last read found nothing usable. Meanwhile another
 * process can write a save, or a save that could not be read can become readable.
 */
const RESTORE_REST_MS = 60_000
/** The heartbeat interval in seconds that is assumed until the issuer states its own. */
const USUAL_TTL_SECS = 10

/**
 * The issuer's side of a verifier. Requests missing data from the issuer, and loads the data. An object of this class
 * keeps no request, stream or timer between calls, so that the object can live at the module scope of a Worker. The
 * callers decide when to call each method.
 */
export class RemoteList {
  readonly #http: Http
  readonly #issuer: string
  readonly #news: Emitter
  readonly #saved: SavedList | undefined
  readonly #verifier: ReplaceableVerifier
  readonly #keys: IssuerKeys
  readonly #newness: Newness
  /**
   * The verifier for which the store was read last. From the monotonic time `notBefore` (in milliseconds) on, the store
   * can be read again.
   */
  #restored: { readonly local: LocalVerifier; readonly notBefore: number } | undefined
  #endpoints: Endpoints | undefined
  #isClosed = false
  #wasDiscovered = false
  /** Called with each newer list that the issuer sent. */
  passOn: (list: string) => void = () => {}

  constructor(
    make: () => LocalVerifier,
    http: Http,
    news: Emitter,
    options: { issuer: string; jwks?: unknown },
    store?: ListStore,
  ) {
    // After `close` no new request is sent. A request that is already under way can still finish.
    this.#http = {
      ...http,
      fetch: (...request) => (this.#isClosed ? Promise.reject(closedVerifier()) : http.fetch(...request)),
    }
    const report = (error: Error) => news.emit('error', error)
    this.#verifier = new ReplaceableVerifier(make)
    this.#keys = new IssuerKeys(this.#http, this.#verifier, options.jwks !== undefined, report)
    this.#newness = new Newness(http.host)
    this.#news = news
    this.#issuer = options.issuer
    if (store !== undefined) this.#saved = new SavedList(store, options, http.host, report)
  }

  /** The verifier that checks tokens now. */
  get serving(): LocalVerifier {
    return this.#verifier.serving
  }

  /** Frees all memory. Data that arrives from the issuer later is refused with `ERR_VERIFIER_CLOSED`. */
  close(): void {
    this.#isClosed = true
    this.#verifier.close()
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get #status(): Status {
    return this.#verifier.loading.status()
  }

  /** The time in milliseconds within which the issuer intends to publish a newer list. */
  get ttlMs(): number {
    return (this.#status.ttl ?? USUAL_TTL_SECS) * 1000
  }

  get holdsList(): boolean {
    return this.#verifier.holdsList
  }

  /** Whether no newer list has arrived for longer than a `ttl`. */
  get isLate(): boolean {
    return this.#newness.isLate(this.ttlMs)
  }

  /** Milliseconds until the next poll. */
  get pollMs(): number {
    return this.#newness.pollMs(this.ttlMs)
  }

  /** Call this method when a token names an unknown key. Returns whether to request the keys again now. */
  wantKeys(): boolean {
    return this.#keys.want(this.#endpoints !== undefined)
  }

  /** Loads the saved list if no list is held. Reports saves that cannot be read or are not accepted. */
  async restore(signal: AbortSignal, withinMs?: number): Promise<void> {
    if (this.#saved === undefined || this.holdsList || this.#isRestored) return
    const saves = await this.#saved.read(signal, withinMs)
    // While this call read the store, another request may have loaded a list.
    if (signal.aborted || this.#isClosed || this.holdsList) return
    const local =
      saves === undefined ? this.#verifier.loading : this.#saved.replay(saves, () => this.#verifier.successor())
    this.#restored = { local, notBefore: this.#http.host.monotonic() + RESTORE_REST_MS }
    this.#verifier.restored(local)
    if (!this.holdsList) return
    this.#keys.restored()
    this.#newness.brought()
  }

  /** Whether the store was read for this verifier so recently that the store is not read again yet. */
  get #isRestored(): boolean {
    const { local, notBefore = -Infinity } = this.#restored ?? {}
    return local === this.#verifier.loading && this.#http.host.monotonic() < notBefore
  }

  /**
   * Saves the new data that is due. Once the signal has aborted, saves all data that is not saved yet. Never rejects.
   */
  async save(signal: AbortSignal): Promise<void> {
    if (this.#saved === undefined) return
    await this.#saved.save(signal)
    if (signal.aborted || this.#endpoints === undefined || !this.#saved.wantsSnapshot) return
    this.#saved.snapshotAsked()
    try {
      await this.#takeSnapshot(this.#endpoints.list, signal)
    } catch (error) {
      if (!signal.aborted) this.#news.emit('error', error as Error)
    }
    await this.#saved.save(signal)
  }

  /** Whether `save` has something to do. */
  get isBehind(): boolean {
    return this.#saved?.isBehind ?? false
  }

  /** Loads a list that the application passed to `load`. */
  load(list: string, at?: AtTime): Loaded {
    const { serving } = this
    const before = serving.status()
    const loaded = serving.load(list, at)
    this.#took(serving, before, list, loaded)
    return loaded
  }

  /**
   * Loads a list that another tab passed on. Loads only a list that the issuer signed and that is newer than the
   * current list. Returns `gap` if the issuer must be asked for a snapshot, or for the key that signed the list. Never
   * throws: everything else on the channel is ignored.
   */
  hear(list: string): Outcome | 'refused' {
    try {
      return this.#load(list)
    } catch (error) {
      if (isTokenError(error, 'ERR_LIST_ROLLBACK')) return 'nothing new'
      return isTokenError(error, 'ERR_LIST_GAP') || isTokenError(error, 'ERR_JWKS_NO_MATCHING_KEY') ? 'gap' : 'refused'
    }
  }

  /** Finds the issuer's addresses and keys, if they are not known yet. */
  async prepare(signal: AbortSignal): Promise<Endpoints> {
    await this.restore(signal)
    const endpoints = (this.#endpoints ??= await this.#discover(signal))
    await this.#keys.prepare(endpoints.keys, signal)
    return endpoints
  }

  /** Asks once for a newer list. */
  async ask(signal: AbortSignal): Promise<void> {
    const { list } = await this.prepare(signal)
    try {
      const cache = this.holdsList ? 'no-store' : undefined
      let outcome = await this.#take(await this.#fetchList(since(list, this.#status), signal, cache), signal)
      if (outcome === 'gap') outcome = await this.#takeSnapshot(list, signal)
      if (outcome !== 'news' && this.#newness.mayAskPastCaches(this.ttlMs)) await this.#askPastCaches(list, signal)
    } catch (error) {
      this.#endpoints = undefined
      throw error
    }
  }

  /**
   * Follows the stream until the server ends the stream. Calls `listener` when the stream opens, and for each newer
   * list. Throws if the issuer has no stream, or if the stream breaks. Also throws if the stream brings nothing newer
   * for one and a half `ttl`, or if a second gap follows within a `ttl`.
   */
  async follow(signal: AbortSignal, listener: (event: 'opened' | 'news') => void): Promise<void> {
    const { list, stream } = await this.prepare(signal)
    if (stream === undefined) throw new Unreachable(`${this.#issuer} has no \`revocation_stream_uri\``)
    const timeout = new IdleTimeout(this.#http.host, signal)
    const parser = new EventStreamParser(MAX_LIST_LENGTH + 1024)
    let nextSnapshot = -Infinity
    try {
      timeout.limit(1.5 * this.ttlMs)
      const request = {
        url: since(stream, this.#status),
        accept: 'text/event-stream',
        cache: 'no-store' as const,
        signal: timeout.signal,
      }
      for await (const chunk of fetchStream(this.#http, request)) {
        if (chunk === '') listener('opened')
        for (const { event, data } of parser.push(chunk)) {
          if (event !== 'message') continue
          let outcome = await this.#take(data, timeout.signal)
          if (outcome === 'gap') {
            // Without this check, a stream whose deltas never continue from the snapshot would cause one request per
            // event.
            const now = this.#http.host.monotonic()
            if (now < nextSnapshot)
              throw new Unreachable(`the deltas of ${stream} do not continue from the snapshot of ${list}`)
            nextSnapshot = now + this.ttlMs
            outcome = await this.#takeSnapshot(list, timeout.signal)
          }
          if (outcome !== 'news') continue
          listener('news')
          timeout.limit(1.5 * this.ttlMs)
        }
      }
    } catch (error) {
      if (!signal.aborted) this.#endpoints = undefined
      throw error
    } finally {
      timeout.end()
    }
  }

  /**
   * Requests the list from an address that no cache has seen, because the last answer may have been an old list from a
   * cache. An `error` event reports the outcome.
   */
  async #askPastCaches(list: string, signal: AbortSignal): Promise<void> {
    const { asOf } = this.#status
    const fetched = (url: string) => this.#fetchList(fresh(url, this.#http.host.now(), this.ttlMs), signal, 'reload')
    let outcome = await this.#take(await fetched(since(list, this.#status)), signal)
    if (outcome === 'gap') outcome = await this.#take(await fetched(list), signal)
    this.#news.emit('error', this.#newness.failure(list, asOf, outcome === 'news'))
  }

  /**
   * A cache is allowed to answer the first request. A repeated request bypasses caches, because an answer from a cache
   * is a possible cause of the failure.
   */
  async #discover(signal: AbortSignal): Promise<Endpoints> {
    const cache = this.#wasDiscovered ? 'no-store' : undefined
    this.#wasDiscovered = true
    return discover(this.#http, this.#issuer, signal, cache)
  }

  /**
   * A cache is allowed to answer the request for the first list, because the list's signature and age are checked. Each
   * later list must be newer than the list that is held.
   */
  #fetchList(url: string, signal: AbortSignal, cache: PastCaches | undefined): Promise<string> {
    return fetchText(this.#http, { url, accept: 'application/jwt', maxBytes: MAX_LIST_LENGTH, cache, signal })
  }

  async #takeSnapshot(list: string, signal: AbortSignal): Promise<Outcome> {
    return this.#take(await this.#fetchList(list, signal, 'no-store'), signal)
  }

  /**
   * Loads a list. Returns `'nothing new'` for a list that is older than the current list. Throws if the list must not
   * be trusted.
   */
  async #take(list: string, signal: AbortSignal): Promise<Outcome> {
    const outcome = await this.#judge(list, signal)
    if (outcome === 'news') this.passOn(list)
    return outcome
  }

  async #judge(list: string, signal: AbortSignal): Promise<Outcome> {
    try {
      return this.#load(list)
    } catch (error) {
      if (isTokenError(error, 'ERR_LIST_ROLLBACK')) return 'nothing new'
      if (isTokenError(error, 'ERR_LIST_GAP')) return 'gap'
      if (!isTokenError(error, 'ERR_JWKS_NO_MATCHING_KEY') || this.#endpoints === undefined || this.#keys.areCooling())
        throw error
      await this.#keys.fetch(this.#endpoints.keys, signal)
      return this.#load(list)
    }
  }

  #load(list: string): Outcome {
    const { loading } = this.#verifier
    const before = loading.status()
    const loaded = loading.load(list)
    return this.#took(loading, before, list, loaded)
  }

  /**
   * Called when this verifier has loaded this list. Notes the list for the next save. Emits a `change` event if the
   * list has a new position.
   */
  #took(local: LocalVerifier, before: Status, list: string, loaded: Loaded): Outcome {
    const trust = this.#verifier.loaded(local)
    const asOf = local.status().asOf!
    this.#saved?.took(list, loaded, { trust, asOf })
    const changed = loaded.epoch !== before.epoch || loaded.sequence !== before.sequence
    if (changed) this.#news.emit('change', changeBy(list, loaded))
    if (!changed && asOf === before.asOf) return 'nothing new'
    this.#newness.brought()
    return 'news'
  }
}

type Outcome = 'news' | 'nothing new' | 'gap'
