import type { AtTime, Change, ListStore, Loaded, Status } from '../types/index.js'
import type { Emitter } from './emitter.js'
import { closedVerifier, isTokenError } from './errors.js'
import { EventStreamParser } from './events.js'
import { handlesIn } from './handles.js'
import { Unreachable, fetchStream, fetchText, type Http, type PastCaches } from './http.js'
import { discover, type Endpoints } from './metadata.js'
import { Newness } from './newness.js'
import { SavedList } from './saved-list.js'
import { Silence } from './silence.js'
import { MAX_LIST_LENGTH, type LocalVerifier } from './verifier.js'

const MAX_JWKS_BYTES = 256 * 1024
/**
 * Anyone can put an unknown `kid` into a token, so unknown keys cause at most one JWKS request in this time, in
 * milliseconds.
 */
const KEYS_COOL_DOWN_MS = 60_000
/**
 * Milliseconds before the store is read again if it contained nothing usable. Later it may contain a usable save,
 * because another process may have written one, or because an earlier save could not be read before.
 */
const RESTORE_REST_MS = 60_000
/** The heartbeat interval in seconds that is assumed until the issuer states its own. */
const USUAL_TTL_SECS = 10

/**
 * The issuer's side of a verifier: requests missing data and loads it. It keeps no request, stream or timer between
 * calls, so that it can live at the module scope of a Worker; its callers decide when to call it.
 */
export class RemoteList {
  readonly #make: () => LocalVerifier
  readonly #http: Http
  readonly #issuer: string
  readonly #news: Emitter
  readonly #saved: SavedList | undefined
  #newest: LocalVerifier
  #serving: LocalVerifier
  /** The trusted keys of the newest verifier, which the verifier after it will trust too. */
  #trust: string | undefined
  #restoreNotBefore = -Infinity
  #endpoints: Endpoints | undefined
  #keys: 'lacking' | 'in doubt' | 'held'
  #keysAskedAt = -Infinity
  #isClosed = false
  #keysMayBeCached = false
  #wasDiscovered = false
  readonly #newness: Newness
  /** Called with each newer list that the issuer sent. */
  passOn: (list: string) => void = () => {}

  constructor(
    make: () => LocalVerifier,
    http: Http,
    news: Emitter,
    options: { issuer: string; jwks?: unknown },
    store?: ListStore,
  ) {
    this.#make = make
    this.#newest = this.#serving = make()
    // After `close` no new request is sent. A request that is already under way may finish.
    this.#http = {
      ...http,
      fetch: (...request) => (this.#isClosed ? Promise.reject(closedVerifier()) : http.fetch(...request)),
    }
    this.#newness = new Newness(http.host)
    this.#news = news
    this.#issuer = options.issuer
    this.#keys = options.jwks === undefined ? 'lacking' : 'held'
    if (store !== undefined) this.#saved = new SavedList(store, options, http.host, error => news.emit('error', error))
  }

  /** The verifier that checks tokens now. */
  get serving(): LocalVerifier {
    return this.#serving
  }

  /**
   * The verifier that loads lists. If the newest verifier was interrupted, this creates a new one, which trusts the
   * same keys and has to load a list again. The new verifier answers queries only after its first list. Until then the
   * interrupted verifier is used, and refuses every query, independent of `onMissing`.
   */
  get #local(): LocalVerifier {
    if (this.#newest.isInterrupted) {
      this.#newest = this.#makeTrusting()
      this.#restoreNotBefore = -Infinity
    }
    return this.#newest
  }

  /** Frees all memory. Data that arrives from the issuer later is refused with `ERR_VERIFIER_CLOSED`. */
  close(): void {
    this.#isClosed = true
    for (const local of [this.#newest, this.#serving]) local.close()
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** The time in milliseconds within which the issuer intends to publish a newer list. */
  get ttlMs(): number {
    return (this.#local.status().ttl ?? USUAL_TTL_SECS) * 1000
  }

  get holdsList(): boolean {
    return this.#local.status().asOf !== null
  }

  /** Whether no newer list has arrived for longer than a `ttl`. */
  get isLate(): boolean {
    return this.#newness.isLate(this.ttlMs)
  }

  /** Milliseconds until the next poll. */
  get pollMs(): number {
    return this.#newness.pollMs(this.ttlMs)
  }

  /** Call it when a token names an unknown key. Returns whether to request the keys again now. */
  wantKeys(): boolean {
    if (this.#keys === 'lacking' || this.#keysAreCooling()) return false
    // The keys are already marked as wanted, but the issuer could not be reached. The next request that reaches the
    // issuer asks for the keys first.
    if (this.#keys === 'in doubt' && this.#endpoints === undefined) return false
    this.#keys = 'in doubt'
    return true
  }

  /** Starts from the saved list if no list is held. Reports saves that cannot be read or are not accepted. */
  async restore(signal: AbortSignal, withinMs?: number): Promise<void> {
    const { monotonic } = this.#http.host
    // Reads `holdsList` before it checks the pause: after an interruption of the module, reading `holdsList` also
    // cancels the pause.
    if (this.#saved === undefined || this.holdsList || monotonic() < this.#restoreNotBefore) return
    const saves = await this.#saved.read(signal, withinMs)
    // While this call read the store, another request may have loaded a list.
    if (signal.aborted || this.#isClosed || this.holdsList) return
    if (saves !== undefined) this.#newest = this.#saved.replay(saves, () => this.#makeTrusting())
    this.#restoreNotBefore = monotonic() + RESTORE_REST_MS
    this.#trust = this.#newest.trust()
    if (this.holdsList) {
      this.#keys = 'held'
      this.#newness.brought()
    }
    // An interrupted verifier keeps refusing until there is a list.
    if (this.holdsList || !this.#serving.isInterrupted) this.#serving = this.#newest
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

  /** Loads a list that the application obtained in another way. */
  load(list: string, at?: AtTime): Loaded {
    const before = this.#serving.status()
    const loaded = this.#serving.load(list, at)
    this.#took(before, list, loaded)
    return loaded
  }

  /**
   * Loads a list that another tab passed on, if the issuer signed it and it is newer. Returns `gap` if the issuer must
   * be asked for a snapshot, or for the key that signed the list. Never throws: anything else on the channel is
   * ignored.
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
    if (this.#keys === 'lacking') await this.#fetchKeys(endpoints.keys, signal)
    if (this.#keys === 'in doubt') await this.#renewKeys(endpoints.keys, signal)
    return endpoints
  }

  /** Asks once for a newer list. */
  async ask(signal: AbortSignal): Promise<void> {
    const { list } = await this.prepare(signal)
    try {
      const cache = this.holdsList ? 'no-store' : undefined
      let outcome = await this.#take(await this.#fetchList(this.#since(list), signal, cache), signal)
      if (outcome === 'gap') outcome = await this.#takeSnapshot(list, signal)
      if (outcome !== 'news' && this.#newness.mayAskPastCaches(this.ttlMs)) await this.#askPastCaches(list, signal)
    } catch (error) {
      this.#endpoints = undefined
      throw error
    }
  }

  /**
   * Follows the stream until it ends, breaks, or brings nothing newer for one and a half `ttl`. Calls `listener` when
   * the stream opens, and for each newer list. Throws if there is no stream, or if a second gap follows within a `ttl`.
   */
  async follow(signal: AbortSignal, listener: (event: 'opened' | 'news') => void): Promise<void> {
    const { list, stream } = await this.prepare(signal)
    if (stream === undefined) throw new Unreachable(`${this.#issuer} has no \`revocation_stream_uri\``)
    const silence = new Silence(this.#http.host, signal)
    const parser = new EventStreamParser(MAX_LIST_LENGTH + 1024)
    let nextSnapshot = -Infinity
    try {
      silence.limit(1.5 * this.ttlMs)
      const request = {
        url: this.#since(stream),
        accept: 'text/event-stream',
        cache: 'no-store' as const,
        signal: silence.signal,
      }
      for await (const chunk of fetchStream(this.#http, request)) {
        if (chunk === '') listener('opened')
        for (const { event, data } of parser.push(chunk)) {
          if (event !== 'message') continue
          let outcome = await this.#take(data, silence.signal)
          if (outcome === 'gap') {
            // Without this check, a stream whose deltas never continue from the snapshot would cause one request per
            // event.
            const now = this.#http.host.monotonic()
            if (now < nextSnapshot)
              throw new Unreachable(`the deltas of ${stream} do not continue from the snapshot of ${list}`)
            nextSnapshot = now + this.ttlMs
            outcome = await this.#takeSnapshot(list, silence.signal)
          }
          if (outcome !== 'news') continue
          listener('news')
          silence.limit(1.5 * this.ttlMs)
        }
      }
    } catch (error) {
      if (!signal.aborted) this.#endpoints = undefined
      throw error
    } finally {
      silence.end()
    }
  }

  /**
   * Sends a request to an address that no cache has seen, because a cache may have given the answer without a newer
   * list. An `error` event reports the outcome.
   */
  async #askPastCaches(list: string, signal: AbortSignal): Promise<void> {
    const { asOf } = this.#local.status()
    const fetched = (url: string) => this.#fetchList(this.#newness.pastCaches(url, this.ttlMs), signal, 'reload')
    let outcome = await this.#take(await fetched(this.#since(list)), signal)
    if (outcome === 'gap') outcome = await this.#take(await fetched(list), signal)
    this.#news.emit('error', this.#newness.failure(list, asOf, outcome === 'news'))
  }

  /**
   * The first answer may come from a cache. A repeated request bypasses caches, because a cached answer may have caused
   * the failure.
   */
  async #discover(signal: AbortSignal): Promise<Endpoints> {
    const cache = this.#wasDiscovered ? 'no-store' : undefined
    this.#wasDiscovered = true
    return discover(this.#http, this.#issuer, signal, cache)
  }

  /** The first key set may come from a cache. */
  async #fetchKeys(url: string, signal: AbortSignal): Promise<void> {
    this.#keysMayBeCached = this.#keys === 'lacking'
    this.#keysAskedAt = this.#http.host.monotonic()
    const cache = this.#keysMayBeCached ? undefined : 'no-store'
    const request = { url, accept: 'application/json', maxBytes: MAX_JWKS_BYTES, cache, signal } as const
    const jwks = await fetchText(this.#http, request)
    this.#local.addJwks(jwks)
    this.#trust = this.#local.trust()
    this.#keys = 'held'
  }

  /**
   * If the keys cannot be fetched, only reports the error: a forged `kid` must not prevent the verifier from getting
   * a newer list.
   */
  async #renewKeys(url: string, signal: AbortSignal): Promise<void> {
    this.#keys = 'held'
    try {
      await this.#fetchKeys(url, signal)
    } catch (error) {
      this.#news.emit('error', error as Error)
    }
  }

  /**
   * Whether the last request for the keys is so recent that the keys are not requested again yet. A request whose
   * answer may come from a cache does not count while no list is held, because the first list may be signed by a newer
   * key.
   */
  #keysAreCooling(): boolean {
    if (this.#keysMayBeCached && !this.holdsList) return false
    return this.#http.host.monotonic() - this.#keysAskedAt < KEYS_COOL_DOWN_MS
  }

  /** The first list may come from a cache, because its signature and age are checked. Later lists must be newer. */
  #fetchList(url: string, signal: AbortSignal, cache: PastCaches | undefined): Promise<string> {
    return fetchText(this.#http, { url, accept: 'application/jwt', maxBytes: MAX_LIST_LENGTH, cache, signal })
  }

  async #takeSnapshot(list: string, signal: AbortSignal): Promise<Outcome> {
    return this.#take(await this.#fetchList(list, signal, 'no-store'), signal)
  }

  /**
   * Loads a list. A list that is older than the list held counts as nothing new. Throws if the list must not be
   * trusted.
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
      if (!isTokenError(error, 'ERR_JWKS_NO_MATCHING_KEY') || this.#endpoints === undefined || this.#keysAreCooling())
        throw error
      await this.#fetchKeys(this.#endpoints.keys, signal)
      return this.#load(list)
    }
  }

  #load(list: string): Outcome {
    const before = this.#local.status()
    const loaded = this.#local.load(list)
    this.#serving = this.#local
    return this.#took(before, list, loaded)
  }

  /** Called when the newest verifier has loaded this list and answers queries. Saves the list, and emits a change. */
  #took(before: Status, list: string, loaded: Loaded): Outcome {
    const asOf = this.#newest.status().asOf!
    this.#trust = this.#newest.trust()
    this.#saved?.took(list, loaded, { trust: this.#trust, asOf })
    const changed = loaded.epoch !== before.epoch || loaded.sequence !== before.sequence
    if (changed) this.#news.emit('change', changeBy(list, loaded))
    if (!changed && asOf === before.asOf) return 'nothing new'
    this.#newness.brought()
    return 'news'
  }

  #makeTrusting(): LocalVerifier {
    const local = this.#make()
    if (this.#trust !== undefined) local.restoreTrust(this.#trust)
    return local
  }

  #since(address: string): string {
    const { epoch, sequence } = this.#local.status()
    if (epoch === null || sequence === null) return address
    const { href, search, hash } = new URL(address)
    const whole = href.slice(0, href.length - hash.length).replace(/\?$/, '')
    // Does not use `searchParams`, which percent-encodes the colon. An issuer accepts only one spelling, so that caches
    // store the list once. Does not set `search` either, because on React Native a URL cannot be changed.
    return `${whole}${search ? '&' : '?'}since=${epoch}:${sequence}`
  }
}

/** The properties of the list; its handles are decoded when first read. */
function changeBy(list: string, loaded: Loaded): Change {
  let handles: string[] | undefined
  return {
    ...loaded,
    get revoked() {
      return (handles ??= handlesIn(list))
    },
  }
}

type Outcome = 'news' | 'nothing new' | 'gap'
