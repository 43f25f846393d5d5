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
/** An unknown `kid` is a stranger's to choose: it causes at most one JWKS request in this time. */
const KEYS_COOL_DOWN_MS = 60_000
/** A store in which there was nothing of use may have something later: another process's, or what it could not read now. */
const RESTORE_REST_MS = 60_000
/** The heartbeat of an issuer that has not said it yet. */
const USUAL_TTL_SECS = 10

/**
 * The issuer's side of a verifier: asks for what the verifier lacks and loads it. It keeps no request, stream or timer
 * between calls, so that it can live at the module scope of a Worker; when to call is its callers' to decide.
 */
export class RemoteList {
  readonly #make: () => LocalVerifier
  readonly #http: Http
  readonly #issuer: string
  readonly #news: Emitter
  readonly #saved: SavedList | undefined
  #newest: LocalVerifier
  #serving: LocalVerifier
  /** Of the newest, for the one after it. */
  #trust: string | undefined
  #restoreNotBefore = -Infinity
  #endpoints: Endpoints | undefined
  #keys: 'lacking' | 'in doubt' | 'held'
  #keysAskedAt = -Infinity
  #isClosed = false
  #keysMayBeCached = false
  #wasDiscovered = false
  readonly #newness: Newness
  /** Called with each list that the issuer sent and that was newer. */
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
    // A request that was under way when the verifier was closed is the last one.
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

  /** The verifier to ask. */
  get serving(): LocalVerifier {
    return this.#serving
  }

  /**
   * The verifier to load: a new one once the last was interrupted, which trusts what that one did, and gets its list anew.
   * It serves from its first list on; until then the interrupted one goes on refusing, whatever `onMissing` says.
   */
  get #local(): LocalVerifier {
    if (this.#newest.isInterrupted) {
      this.#newest = this.#makeTrusting()
      this.#restoreNotBefore = -Infinity
    }
    return this.#newest
  }

  /** Frees what is held. What comes from the issuer later is refused with `ERR_VERIFIER_CLOSED`. */
  close(): void {
    this.#isClosed = true
    for (const local of [this.#newest, this.#serving]) local.close()
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Milliseconds within which the issuer means to have a newer list. */
  get ttlMs(): number {
    return (this.#local.status().ttl ?? USUAL_TTL_SECS) * 1000
  }

  get holdsList(): boolean {
    return this.#local.status().asOf !== null
  }

  /** Whether no list was newer than the one before for longer than a `ttl`. */
  get isLate(): boolean {
    return this.#newness.isLate(this.ttlMs)
  }

  /** Milliseconds until the next poll. */
  get pollMs(): number {
    return this.#newness.pollMs(this.ttlMs)
  }

  /** A token named a key that is not known. Whether it is time to ask for the keys again. */
  wantKeys(): boolean {
    if (this.#keys === 'lacking' || this.#keysAreCooling()) return false
    // The issuer was away when they were wanted: whoever finds it again asks for the keys first.
    if (this.#keys === 'in doubt' && this.#endpoints === undefined) return false
    this.#keys = 'in doubt'
    return true
  }

  /** Starts from what was saved, while no list is held. What cannot be read or believed is told. */
  async restore(signal: AbortSignal, withinMs?: number): Promise<void> {
    const { monotonic } = this.#http.host
    // Looks for a list first: for a module that was interrupted meanwhile there is no rest.
    if (this.#saved === undefined || this.holdsList || monotonic() < this.#restoreNotBefore) return
    const saves = await this.#saved.read(signal, withinMs)
    // Another request may have been faster.
    if (signal.aborted || this.#isClosed || this.holdsList) return
    if (saves !== undefined) this.#newest = this.#saved.replay(saves, () => this.#makeTrusting())
    this.#restoreNotBefore = monotonic() + RESTORE_REST_MS
    this.#trust = this.#newest.trust()
    if (this.holdsList) {
      this.#keys = 'held'
      this.#newness.brought()
    }
    // One that was interrupted goes on refusing until there is a list.
    if (this.holdsList || !this.#serving.isInterrupted) this.#serving = this.#newest
  }

  /** Saves what is held: what is new of it, or once the signal has aborted all that is not saved yet. Never rejects. */
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

  /** Takes a list that came some other way. */
  load(list: string, at?: AtTime): Loaded {
    const before = this.#serving.status()
    const loaded = this.#serving.load(list, at)
    this.#took(before, list, loaded)
    return loaded
  }

  /**
   * Takes a list that another tab passed on, if the issuer signed it and it is newer. `gap`: the issuer has to be asked,
   * for a snapshot or for the key that signed the list. Never throws: whatever else comes by a channel is ignored.
   */
  hear(list: string): Outcome | 'refused' {
    try {
      return this.#load(list)
    } catch (error) {
      if (isTokenError(error, 'ERR_LIST_ROLLBACK')) return 'nothing new'
      return isTokenError(error, 'ERR_LIST_GAP') || isTokenError(error, 'ERR_JWKS_NO_MATCHING_KEY') ? 'gap' : 'refused'
    }
  }

  /** Finds the issuer's addresses and keys, where they are not known. */
  async prepare(signal: AbortSignal): Promise<Endpoints> {
    await this.restore(signal)
    const endpoints = (this.#endpoints ??= await this.#discover(signal))
    if (this.#keys === 'lacking') await this.#fetchKeys(endpoints.keys, signal)
    if (this.#keys === 'in doubt') await this.#renewKeys(endpoints.keys, signal)
    return endpoints
  }

  /** Asks once for what is newer than what is held. */
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
   * Follows the stream until it ends, breaks, or brings nothing newer for one and a half `ttl`. Tells `listener` when it
   * is there, and of each list that was news. Throws when there is no stream, and when a gap follows another within a `ttl`.
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
            // Else each event of a stream that never fits costs a request, at the stream's speed.
            const now = this.#http.host.monotonic()
            if (now < nextSnapshot) throw new Unreachable(`${stream} continues from what ${list} does not have`)
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
   * Asks at an address that no cache has seen, because an answer without a newer list may be a cache's. An `error` event
   * says what came of it.
   */
  async #askPastCaches(list: string, signal: AbortSignal): Promise<void> {
    const { asOf } = this.#local.status()
    const fetched = (url: string) => this.#fetchList(this.#newness.pastCaches(url, this.ttlMs), signal, 'reload')
    let outcome = await this.#take(await fetched(this.#since(list)), signal)
    if (outcome === 'gap') outcome = await this.#take(await fetched(list), signal)
    this.#news.emit('error', this.#newness.failure(list, asOf, outcome === 'news'))
  }

  /** The first answer may come out of a cache; one that is asked for again may have been at fault. */
  async #discover(signal: AbortSignal): Promise<Endpoints> {
    const cache = this.#wasDiscovered ? 'no-store' : undefined
    this.#wasDiscovered = true
    return discover(this.#http, this.#issuer, signal, cache)
  }

  /** The first key set may come out of a cache. */
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

  /** A stranger's `kid` is no reason to go without a newer list when the keys cannot be had. */
  async #renewKeys(url: string, signal: AbortSignal): Promise<void> {
    this.#keys = 'held'
    try {
      await this.#fetchKeys(url, signal)
    } catch (error) {
      this.#news.emit('error', error as Error)
    }
  }

  /** Without a list, keys out of a cache are no reason to wait: the list may be signed by a newer key. */
  #keysAreCooling(): boolean {
    if (this.#keysMayBeCached && !this.holdsList) return false
    return this.#http.host.monotonic() - this.#keysAskedAt < KEYS_COOL_DOWN_MS
  }

  /** The first list may come out of a cache, because its signature and age say what it is; later ones have to be newer. */
  #fetchList(url: string, signal: AbortSignal, cache: PastCaches | undefined): Promise<string> {
    return fetchText(this.#http, { url, accept: 'application/jwt', maxBytes: MAX_LIST_LENGTH, cache, signal })
  }

  async #takeSnapshot(list: string, signal: AbortSignal): Promise<Outcome> {
    return this.#take(await this.#fetchList(list, signal, 'no-store'), signal)
  }

  /** Loads a list; one that is older than what is held is nothing new. Throws for one that must not be believed. */
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

  /** The newest verifier, which serves, took this list: it is saved, and a change is told. */
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
    // Not with `searchParams`, which percent-encodes the colon: an issuer takes one spelling, so that caches hold it once.
    // Nor by setting `search`: the URL of React Native cannot be changed.
    return `${whole}${search ? '&' : '?'}since=${epoch}:${sequence}`
  }
}

/** What the list says of itself, whose handles are read out when somebody asks. */
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
