import type { Change, Loaded } from '../types/index.js'
import type { Emitter } from './emitter.js'
import { isTokenError } from './errors.js'
import { EventStreamParser } from './events.js'
import { handlesIn } from './handles.js'
import { Unreachable, fetchStream, fetchText, type Http } from './http.js'
import { discover, type Endpoints } from './metadata.js'
import { MAX_LIST_LENGTH, type LocalVerifier } from './verifier.js'

const MAX_JWKS_BYTES = 256 * 1024
/** An unknown `kid` is a stranger's to choose: it causes at most one JWKS request in this time. */
const KEYS_COOL_DOWN_MS = 60_000
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
  readonly #keysAtFirst: 'lacking' | 'held'
  #newest: LocalVerifier
  #serving: LocalVerifier
  #endpoints: Endpoints | undefined
  #keys: 'lacking' | 'in doubt' | 'held'
  #keysAskedAt = -Infinity

  constructor(make: () => LocalVerifier, http: Http, news: Emitter, options: { issuer: string; jwks?: unknown }) {
    this.#make = make
    this.#newest = this.#serving = make()
    this.#http = http
    this.#news = news
    this.#issuer = options.issuer
    this.#keys = this.#keysAtFirst = options.jwks === undefined ? 'lacking' : 'held'
  }

  /** The verifier to ask. */
  get serving(): LocalVerifier {
    return this.#serving
  }

  /**
   * The verifier to load: a new one once the last was interrupted, and all is fetched anew for it. It serves from its
   * first list on; until then the interrupted one goes on refusing, whatever `onMissing` says.
   */
  get #local(): LocalVerifier {
    if (this.#newest.isInterrupted) {
      this.#newest = this.#make()
      this.#keys = this.#keysAtFirst
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

  /** Finds the issuer's addresses and keys, where they are not known. */
  async prepare(signal: AbortSignal): Promise<Endpoints> {
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
    this.#local.addJwks(await fetchText(this.#http, request))
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
    const changed = loaded.epoch !== before.epoch || loaded.sequence !== before.sequence
    if (changed) this.#news.emit('change', changeBy(list, loaded))
    return changed || this.#local.status().asOf !== before.asOf ? 'news' : 'nothing new'
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

/** Aborts when a limit passes or an outer signal aborts, whichever is first. */
class Silence {
  readonly #host: Http['host']
  readonly #outer: AbortSignal
  readonly #abort = new AbortController()
  readonly #stop = () => this.#abort.abort(this.#outer.reason)
  #cancel = () => {}

  constructor(host: Http['host'], outer: AbortSignal) {
    this.#host = host
    this.#outer = outer
    outer.addEventListener('abort', this.#stop)
    if (outer.aborted) this.#stop()
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  limit(ms: number): void {
    this.#cancel()
    this.#cancel = this.#host.after(ms, () => this.#abort.abort(new Unreachable(`nothing newer in ${ms} ms`)))
  }

  end(): void {
    this.#cancel()
    this.#outer.removeEventListener('abort', this.#stop)
  }
}
