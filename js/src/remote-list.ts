import type { AtTime, Change, ListStore, Loaded, Status } from '../types/index.js'
import type { Emitter } from './emitter.js'
import { isTokenError } from './errors.js'
import { EventStreamParser } from './events.js'
import { handlesIn } from './handles.js'
import { Unreachable, fetchStream, fetchText, type Http } from './http.js'
import { discover, type Endpoints } from './metadata.js'
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

  constructor(
    make: () => LocalVerifier,
    http: Http,
    news: Emitter,
    options: { issuer: string; jwks?: unknown },
    store?: ListStore,
  ) {
    this.#make = make
    this.#newest = this.#serving = make()
    this.#http = http
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

  /** Milliseconds within which the issuer means to have a newer list. */
  get ttlMs(): number {
    return (this.#local.status().ttl ?? USUAL_TTL_SECS) * 1000
  }

  get holdsList(): boolean {
    return this.#local.status().asOf !== null
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
    if (signal.aborted || this.holdsList) return
    if (saves !== undefined) this.#newest = this.#saved.replay(saves, () => this.#makeTrusting())
    this.#restoreNotBefore = monotonic() + RESTORE_REST_MS
    this.#trust = this.#newest.trust()
    if (this.holdsList) this.#keys = 'held'
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

  /** Finds the issuer's addresses and keys, where they are not known. */
  async prepare(signal: AbortSignal): Promise<Endpoints> {
    await this.restore(signal)
    const endpoints = (this.#endpoints ??= await discover(this.#http, this.#issuer, signal))
    if (this.#keys === 'lacking') await this.#fetchKeys(endpoints.keys, signal)
    if (this.#keys === 'in doubt') await this.#renewKeys(endpoints.keys, signal)
    return endpoints
  }

  /** Asks once for what is newer than what is held. */
  async ask(signal: AbortSignal): Promise<void> {
    const { list } = await this.prepare(signal)
    try {
      if ((await this.#take(await this.#fetchList(list, signal), signal)) === 'gap')
        await this.#takeSnapshot(list, signal)
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
      const request = { url: this.#since(stream), accept: 'text/event-stream', fresh: true, signal: silence.signal }
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
      this.#endpoints = undefined
      throw error
    } finally {
      silence.end()
    }
  }

  async #fetchKeys(url: string, signal: AbortSignal): Promise<void> {
    const request = {
      url,
      accept: 'application/json',
      maxBytes: MAX_JWKS_BYTES,
      fresh: this.#keys !== 'lacking',
      signal,
    }
    this.#keysAskedAt = this.#http.host.monotonic()
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

  #keysAreCooling(): boolean {
    return this.#http.host.monotonic() - this.#keysAskedAt < KEYS_COOL_DOWN_MS
  }

  /** The first list may come out of a cache, for its signature and age say what it is; later ones have to be news. */
  #fetchList(list: string, signal: AbortSignal): Promise<string> {
    const request = { accept: 'application/jwt', maxBytes: MAX_LIST_LENGTH, fresh: this.holdsList, signal }
    return fetchText(this.#http, { ...request, url: this.#since(list) })
  }

  async #takeSnapshot(list: string, signal: AbortSignal): Promise<Outcome> {
    const request = { accept: 'application/jwt', maxBytes: MAX_LIST_LENGTH, fresh: true, signal }
    return this.#take(await fetchText(this.#http, { ...request, url: list }), signal)
  }

  /** Loads a list; one that is older than what is held is nothing new. Throws for one that must not be believed. */
  async #take(list: string, signal: AbortSignal): Promise<Outcome> {
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
    return changed || asOf !== before.asOf ? 'news' : 'nothing new'
  }

  #makeTrusting(): LocalVerifier {
    const local = this.#make()
    if (this.#trust !== undefined) local.restoreTrust(this.#trust)
    return local
  }

  #since(address: string): string {
    const { epoch, sequence } = this.#local.status()
    if (epoch === null || sequence === null) return address
    const url = new URL(address)
    url.searchParams.set('since', `${epoch}:${sequence}`)
    return url.href
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
