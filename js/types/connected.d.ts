import type { TokenError } from './errors.js'
import type { AtTime, Loaded, Status, Verifier, VerifierOptions } from './verifier.js'

/**
 * How a connected verifier gets its lists now. `'shared'`: another page or worker of the same origin gets the lists
 * from the issuer and passes them on.
 */
export type Mode = 'stream' | 'shared' | 'poll' | 'request' | 'closed'

/**
 * A list that changed the verifier's state.
 *
 * @example
 * ```ts
 * verifier.on('change', ({ revoked, sequence }) => console.log(`entry ${sequence}: ${revoked.join(', ')}`))
 * ```
 */
export interface Change extends Loaded {
  /**
   * The revoked handles (`gid` or `sid`) that are new in this list. If this is the first list or a complete list, the
   * property contains all revoked handles. Otherwise it contains only the handles that were revoked after the previous
   * list. The handles are decoded when the property is first read. Cut-offs and retired keys are not included. To check
   * these too, use `assertNotRevoked`.
   */
  readonly revoked: readonly string[]
}

/**
 * The events of a connected verifier.
 *
 * @example
 * ```ts
 * import { isTokenError } from 'doorlist'
 *
 * verifier.on('error', error => console.error(isTokenError(error) ? error.code : error, error.cause))
 * ```
 */
export interface VerifierEvents {
  /** Emitted when a list brought new revocations, new keys or another epoch. */
  change: Change
  /**
   * A {@link TokenError} with its `cause`. The verifier retries automatically. The code is one of these:
   * - `ERR_ISSUER_UNREACHABLE`: the issuer could not be reached.
   * - `ERR_LIST_NOT_NEWER`: the issuer sent no newer list for longer than a `ttl`. A possible reason is
   *   a cache that sends old lists. If a request that bypassed caches brought a newer list, `evidence.cached` is
   *   `true`.
   * - `ERR_STORE_FAILED`: the store failed.
   * - `ERR_FETCH_FAILED`: there is a mistake in the program; see `cause`.
   * - Any other code: the verifier rejected data from the issuer. The code says why.
   *
   * An error without a code is a bug.
   */
  error: Error
}

/**
 * The place where a connected verifier keeps its list across restarts. Both functions can be synchronous or
 * asynchronous. If a function throws, hangs or returns something other than text, an `error` event reports this.
 * Protect the store. A program that can write to the store can choose the keys that the verifier trusts at its start,
 * unless `jwks` pins the keys. Ready-made stores are in `doorlist/stores` and `doorlist/stores/file`.
 *
 * @example
 * ```ts
 * import { readFile, writeFile } from 'node:fs/promises'
 * import { connectVerifier, type ListStore } from 'doorlist'
 *
 * const pathOf = (key: string) => `/var/lib/shop/${encodeURIComponent(key)}`
 * const store: ListStore = {
 *   get: key => readFile(pathOf(key), 'utf8').catch(() => null), // `doorlist/stores/file` writes atomically instead
 *   set: (key, value) => writeFile(pathOf(key), value),
 * }
 * const verifier = await connectVerifier({ issuer: 'https://id.example', audience: 'api', store })
 * ```
 */
export interface ListStore {
  /** Returns the value that was last set for this key. Returns `null` or `undefined` if there is no value. */
  get(key: string): string | null | undefined | PromiseLike<string | null | undefined>
  /** @param key begins with `doorlist:<issuer>:`, so that several issuers can use the same store */
  set(key: string, value: string): unknown
}

/**
 * The options of a connected verifier: the verification rules, and how the verifier reaches its issuer.
 *
 * @example
 * ```ts
 * import { connectVerifier, type ConnectOptions } from 'doorlist'
 * import { fileStore } from 'doorlist/stores/file'
 *
 * const options: ConnectOptions = {
 *   issuer: 'https://id.example',
 *   audience: 'api',
 *   outageGrace: 3600,
 *   store: fileStore('/var/lib/shop/doorlist'),
 * }
 * const verifier = await connectVerifier(options)
 * ```
 */
export interface ConnectOptions extends VerifierOptions {
  /**
   * The http(s) URL of the issuer. It must equal the `iss` of the issuer's tokens. Use the spelling of the issuer:
   * lower-case scheme and host, no default port, no empty segments, no dot segments, no trailing slash. Mandatory.
   */
  issuer: string
  /** The function that sends every request. Default: the global `fetch`. */
  fetch?: typeof globalThis.fetch
  /** `'auto'`: use the stream, and poll while no stream is available. `'poll'`: only poll. Default: `'auto'`. */
  transport?: 'auto' | 'poll'
  /**
   * The number of seconds that `connectVerifier` waits for the first list. After this time, the promise rejects. If
   * waiting would not help, `connectVerifier` rejects at once. This option cannot be used with `lazy`. Default: 10.
   */
  connectTimeout?: number
  /**
   * The store for the list, the trusted keys and the dropped keys. With a store, a verifier can start from the saved
   * list while its issuer is unreachable. The saved list keeps its original age. Default: no store.
   */
  store?: ListStore
}

/** The `ctx` of a Worker's `fetch` handler. Its `waitUntil` keeps the Worker running after the response. */
export interface WaitUntil {
  waitUntil(promise: Promise<unknown>): void
}

/** A verifier that keeps its list up to date. */
export interface ConnectedVerifier extends Verifier {
  status(at?: AtTime): Status & { mode: Mode }
  /**
   * Adds a listener. Returns a function that removes the listener.
   *
   * @example
   * ```ts
   * import { isTokenError } from 'doorlist'
   *
   * const off = verifier.on('change', () => {
   *   try {
   *     verifier.verify(token)
   *   } catch (error) {
   *     if (isTokenError(error, 'ERR_JWT_REVOKED')) console.log('this user was kicked')
   *   }
   * })
   * ```
   */
  on<Name extends keyof VerifierEvents>(name: Name, listener: (news: VerifierEvents[Name]) => void): () => void
  off<Name extends keyof VerifierEvents>(name: Name, listener: (news: VerifierEvents[Name]) => void): void
  /**
   * Asks the issuer now. If such a request is already under way, waits for that request. Rejects with
   * `ERR_ISSUER_UNREACHABLE` if the issuer cannot be reached.
   *
   * @example
   * ```ts
   * import { isTokenError } from 'doorlist'
   *
   * await verifier.refresh().catch(error => {
   *   if (!isTokenError(error, 'ERR_ISSUER_UNREACHABLE')) throw error
   *   console.warn(error.message)
   * })
   * ```
   */
  refresh(): Promise<void>
  /** Ends all requests, streams and timers, writes unsaved data to the `store`, and frees the memory. */
  close(): void
}

/**
 * A verifier that is refreshed within requests. It is made for platforms where no code can run outside of a request.
 */
export interface LazyVerifier extends Verifier {
  /** The adapters recognise a lazy verifier by this property, and call `refresh` in each request. */
  readonly isLazy: true
  status(at?: AtTime): Status & { mode: Mode }
  on: ConnectedVerifier['on']
  off: ConnectedVerifier['off']
  /**
   * Call this method in each request, before `verify`. The first call waits for a list, from the store or from the
   * issuer. If the saved list is stale or older than three times its `ttl`, the first call waits up to two more seconds
   * for a newer list. Later calls return at once, and update the list through `ctx.waitUntil`. Without a `ctx`, a later
   * call waits if the list is older than its `ttl`. Rejects only while no list is held. While a list is held, an
   * `error` event reports a failure, and the verifier continues to use its list.
   *
   * @example
   * ```ts
   * import { connectVerifier, type WaitUntil } from 'doorlist'
   *
   * const verifier = connectVerifier.lazy({ issuer: 'https://id.example', audience: 'api' })
   *
   * export default {
   *   async fetch(request: Request, env: unknown, ctx: WaitUntil) {
   *     await verifier.refresh(ctx)
   *     const { payload } = verifier.verify(request.headers.get('authorization')?.replace(/^Bearer /, '') ?? '')
   *     return new Response(`hello ${payload.sub}`)
   *   },
   * }
   * ```
   */
  refresh(ctx?: WaitUntil): Promise<void>
}

export interface ConnectVerifier {
  (options: ConnectOptions): Promise<ConnectedVerifier>
  /**
   * Creates a lazy verifier. The verifier does no I/O and uses no timer or random number before the first `refresh`. So
   * you can create the verifier at the module scope of a Worker.
   *
   * @example
   * ```ts
   * import { Hono } from 'hono'
   * import { connectVerifier } from 'doorlist'
   * import { authenticate } from 'doorlist/hono'
   *
   * const verifier = connectVerifier.lazy({ issuer: 'https://id.example', audience: 'api' }) // no I/O yet
   *
   * const app = new Hono().use(authenticate(verifier)) // refreshes the verifier in each request
   * app.get('/', c => c.text(`hello ${c.get('auth').payload.sub}`))
   *
   * export default app
   * ```
   */
  lazy(options: ConnectOptions): LazyVerifier
}

/**
 * Creates a connected verifier. The verifier reads all addresses from the issuer's metadata (RFC 8414). The promise
 * resolves when the verifier holds a list. If the issuer's first answer is an error or takes longer than two seconds, a
 * saved list is used.
 *
 * @example
 * ```ts
 * import { connectVerifier, isTokenError } from 'doorlist'
 *
 * const verifier = await connectVerifier({ issuer: 'https://id.example', audience: 'api' })
 * try {
 *   const { payload } = verifier.verify(token) // synchronous, no I/O
 *   console.log(`hello ${payload.sub}`)
 * } catch (error) {
 *   if (!isTokenError(error)) throw error
 *   console.log(error.code) // ERR_JWT_REVOKED after a kick
 * }
 * ```
 */
export const connectVerifier: ConnectVerifier
