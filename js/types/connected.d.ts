import type { TokenError } from './errors.js'
import type { AtTime, Loaded, Status, Verifier, VerifierOptions } from './verifier.js'

/**
 * How a connected verifier gets its lists at the moment. `'shared'`: another page or worker of this origin holds the
 * stream or polls, and passes newer lists on.
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
   * The handles (`gid` or `sid`) that this list added. For the first list and for a complete list, these are all
   * revoked handles; otherwise, the handles that were revoked since the previous list. The handles are decoded when the
   * property is first read. A cut-off or a retired key is not included here, but `assertNotRevoked` considers both.
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
  /** A list brought new revocations, new keys or another epoch. */
  change: Change
  /**
   * A {@link TokenError} with its `cause`. There are four cases: the issuer could not be reached
   * (`ERR_ISSUER_UNREACHABLE`); the issuer sent data that was rejected (the code says why); the issuer sent no newer
   * list for longer than a `ttl` (`ERR_LIST_NOT_NEWER`: a cache may have answered; `evidence.cached` is `true` if a
   * request that bypassed caches brought a newer list); or the store failed (`ERR_STORE_FAILED`). The verifier retries
   * automatically. An error without a code is a bug.
   */
  error: Error
}

/**
 * Where a connected verifier keeps its list across restarts. Both functions may be synchronous or asynchronous. If one
 * throws, hangs or returns anything but text, an `error` event reports it. A program that can write to the store can
 * choose the keys with which a verifier starts, unless `jwks` pins them. Ready-made stores are in `doorlist/stores` and
 * `doorlist/stores/file`.
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
  /** Returns the value that was set last, or `null` or `undefined`. */
  get(key: string): string | null | undefined | PromiseLike<string | null | undefined>
  /** @param key `doorlist:<issuer>:…`, so that several issuers can share a store */
  set(key: string, value: string): unknown
}

/**
 * How a connected verifier reaches its issuer, in addition to the verification rules.
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
   * The http(s) URL of the issuer, equal to the `iss` of its tokens. Use the issuer's own spelling: lower-case scheme
   * and host, no default port, no empty or dot segments, no trailing slash. Mandatory.
   */
  issuer: string
  /** Used for every request. Default: the global `fetch`. */
  fetch?: typeof globalThis.fetch
  /** `'auto'` holds a stream, and polls while no stream is available; `'poll'` only polls. Default: `'auto'`. */
  transport?: 'auto' | 'poll'
  /**
   * Seconds to wait for the first list before `connectVerifier` rejects. An error that waiting cannot cure rejects at
   * once. This option cannot be used with `lazy`. Default: 10.
   */
  connectTimeout?: number
  /**
   * Saves the list, the trusted keys and the dropped keys, so that a verifier can start while its issuer is
   * unreachable. The verifier then starts from the saved list, with the age of that list. Default: none.
   */
  store?: ListStore
}

/** Keeps a Worker running after its response: the `ctx` of a `fetch` handler. */
export interface WaitUntil {
  waitUntil(promise: Promise<unknown>): void
}

/** A verifier that keeps its list up to date. */
export interface ConnectedVerifier extends Verifier {
  status(at?: AtTime): Status & { mode: Mode }
  /**
   * Adds a listener. Returns a function that removes it.
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
   * Asks the issuer now; at most one such request runs at a time. Rejects with `ERR_ISSUER_UNREACHABLE` if the issuer
   * cannot be reached.
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
  /** Ends every request, stream and timer, writes unsaved data to the `store`, and frees the memory. */
  close(): void
}

/** A verifier that is refreshed within requests, for platforms where nothing may run outside of a request. */
export interface LazyVerifier extends Verifier {
  /** Tells adapters to call `refresh` in each request. */
  readonly isLazy: true
  status(at?: AtTime): Status & { mode: Mode }
  on: ConnectedVerifier['on']
  off: ConnectedVerifier['off']
  /**
   * Call it in each request, before `verify`. The first call waits for a list: a saved one and, if that is stale or
   * older than three `ttl`, up to two more seconds for a newer one. Later calls return at once and update the list
   * through `ctx.waitUntil`; without a `ctx`, they wait whenever the list is older than its `ttl`. Rejects only while
   * no list is held. A later failure is an `error` event, and the list stays in use.
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
   * Does no I/O, and uses no timer or randomness, before its first `refresh`. So it can be created at the module scope
   * of a Worker.
   *
   * @example
   * ```ts
   * import { Hono } from 'hono'
   * import { connectVerifier } from 'doorlist'
   * import { authenticate } from 'doorlist/hono'
   *
   * const verifier = connectVerifier.lazy({ issuer: 'https://id.example', audience: 'api' }) // no I/O yet
   *
   * const app = new Hono().use(authenticate(verifier)) // refreshes it in each request
   * app.get('/', c => c.text(`hello ${c.get('auth').payload.sub}`))
   *
   * export default app
   * ```
   */
  lazy(options: ConnectOptions): LazyVerifier
}

/**
 * Finds all addresses in the issuer's metadata (RFC 8414), and resolves when a list is held. This is the issuer's list,
 * or the saved list if the issuer fails once or does not answer within two seconds.
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
