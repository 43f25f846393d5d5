/**
 * Verification rules. Units and names follow `jose`: times are in seconds.
 *
 * @example
 * ```ts
 * import { createVerifier, type VerifierOptions } from 'doorlist'
 *
 * const options: VerifierOptions = {
 *   issuer: 'https://id.example',
 *   audience: 'api',
 *   maxStaleness: 300,
 *   onStale: 'deny',
 * }
 * const verifier = createVerifier(options)
 * ```
 */
export interface VerifierOptions {
  /** The expected `iss`, compared character by character. Mandatory. */
  issuer: string
  /** The accepted `aud` values; a token must carry at least one of them. Mandatory; `null` turns the check off. */
  audience: string | readonly string[] | null
  /**
   * The keys trusted from the start (RFC 7517), at least one of them Ed25519. The keys of a loaded list replace them.
   * Default: none.
   */
  jwks?: { readonly keys: readonly object[] }
  /**
   * Seconds of clock difference allowed in `exp`, `nbf` and `iat`; never more than the list's `leeway`. Default: the
   * list's `leeway`.
   */
  clockTolerance?: number
  /** The age in seconds from which a list counts as stale. Default: three times the list's `ttl`. */
  maxStaleness?: number
  /** With a stale list, verify and set `freshness.stale` (`'allow'`), or throw `ERR_LIST_STALE`. Default: `'allow'`. */
  onStale?: 'allow' | 'deny'
  /** Without a list, throw `ERR_LIST_MISSING` (`'deny'`), or return `revocation: 'unknown'`. Default: `'deny'`. */
  onMissing?: 'deny' | 'allow'
  /**
   * Seconds after `exp` during which a token is still accepted in an outage of the issuer. There is an outage if the
   * newest list is older than three times its `ttl` and was signed before that `exp`. The result then has
   * `outage: true`. With `onStale: 'deny'` this option requires `maxStaleness`. Default: 0, off.
   */
  outageGrace?: number
  /**
   * The number of accepted tokens to remember, so that they can be checked again without verifying their signature. 0
   * remembers none; at most 1000000. Each takes about 1.2 KB, and together they have at most 1024 characters each on
   * average. Default: 20000.
   */
  cacheSize?: number
}

/**
 * The current time, if the caller knows it better than `Date.now()`.
 *
 * @example
 * ```ts
 * verifier.verify(token, { currentDate: session.currentDate() })
 * ```
 */
export interface AtTime {
  /** Default: now. If a list proves a later time, that time is used instead. */
  currentDate?: Date
}

/** The signed claims of an access token (RFC 9068). */
export interface AccessTokenClaims {
  iss: string
  sub: string
  aud: string | string[]
  /** NumericDate, seconds. */
  exp: number
  /** NumericDate, seconds. */
  iat: number
  /** NumericDate, seconds. */
  nbf?: number
  jti: string
  client_id: string
  /** The handle of the subject's token group, 16 hex digits. */
  gid: string
  /** The handle of the session, 16 hex digits. */
  sid: string
  scope?: string
  [claim: string]: unknown
}

/** The protected header of an access token. */
export interface AccessTokenHeader {
  alg: 'EdDSA' | 'Ed25519'
  typ: string
  kid: string
  [parameter: string]: unknown
}

/** The age of the revocation list that a result is based on. */
export interface Freshness {
  /** NumericDate at which the issuer confirmed that the list was complete; `null` without a list. */
  asOf: number | null
  /** Seconds since `asOf`; `null` without a list. */
  age: number | null
  /** Whether the list is older than `maxStaleness`. */
  stale: boolean
}

/** The result of a revocation check that found no revocation. */
export interface Standing {
  /** `'unknown'` only without a list and with `onMissing: 'allow'`. */
  revocation: 'not_revoked' | 'unknown'
  freshness: Freshness
}

/** The result for a valid token. */
export interface Verified extends Standing {
  /** Deeply frozen, because repeated calls for one token return the same object. */
  payload: Readonly<AccessTokenClaims>
  /** Deeply frozen, like `payload`. */
  protectedHeader: Readonly<AccessTokenHeader>
  /** Whether the token is past its `exp` and was accepted because of `outageGrace`. */
  outage: boolean
}

/** Additional data to check. */
export interface VettedBy {
  /**
   * The token's header. Its `kid` is checked, because the key may have been retired since. Default: the key is not
   * checked.
   */
  protectedHeader?: object
}

/** The result of loading a list. */
export interface Loaded {
  /** The epoch, the identifier of the revocation log; 16 hex digits. */
  epoch: string
  /** The sequence number of the last entry included. */
  sequence: number
  /** The sequence number that a delta continues from; `null` for a snapshot. */
  since: number | null
  /** The number of revoked handles now held. */
  entries: number
  /** `'unchanged'` if the verifier already held exactly this list. */
  outcome: 'applied' | 'unchanged'
}

/** The list and the keys that a verifier holds. */
export interface Status extends Freshness {
  /** `null` without a list. */
  epoch: string | null
  /** `null` without a list. */
  sequence: number | null
  entries: number
  /** The issuer intends to publish a newer list within this many seconds; `null` without a list. */
  ttl: number | null
  /** The `kid`s of the trusted keys. */
  keys: string[]
}

declare global {
  /** The same declaration as in TypeScript's `lib.esnext.disposable`, for projects that compile without it. */
  interface SymbolConstructor {
    readonly dispose: unique symbol
  }
}

/** Verifies access tokens with the keys and the list that it holds. Does no I/O. */
export interface Verifier {
  /**
   * Loads a revocation list, which is a snapshot or a delta.
   *
   * @throws {TokenError} `ERR_LIST_INVALID`, `ERR_LIST_ROLLBACK` (the list is older than the one held),
   * `ERR_LIST_GAP` (a snapshot is needed), or the code of a signature error. The verifier then keeps what it held.
   *
   * @example
   * ```ts
   * const { epoch, sequence, entries } = verifier.load(list)
   * console.log(`list ${epoch}:${sequence} with ${entries} revoked handles`)
   * ```
   */
  load(list: string, at?: AtTime): Loaded
  /**
   * Verifies one access token.
   *
   * @throws {TokenError} with a stable `code`; the message never contains the token.
   *
   * @example
   * ```ts
   * const { payload, freshness } = verifier.verify(token)
   * if (freshness.stale) console.warn(`the revocation list is ${freshness.age} s old`)
   * console.log(`hello ${payload.sub}`)
   * ```
   */
  verify(token: string, at?: AtTime): Verified
  /**
   * Checks for revocation only, for a token that another library verified, for example `jose`. It does not check the
   * signature, `aud`, `nbf` or `exp`.
   *
   * @param payload the token's claims; `iss`, `iat`, `gid` and `sid` are read
   * @throws {TokenError} `ERR_JWT_REVOKED`; `ERR_JWT_EXPIRED` if the issuer no longer keeps entries as old as the
   * token; `ERR_JWKS_NO_MATCHING_KEY` if the key named in its header is not, or no longer, trusted;
   * `ERR_JWT_CLAIM_VALIDATION_FAILED` if a claim is invalid or another issuer's; `ERR_LIST_MISSING` and
   * `ERR_LIST_STALE` as `onMissing` and `onStale` say
   *
   * @example
   * ```ts
   * import { createRemoteJWKSet, jwtVerify } from 'jose'
   *
   * const keys = createRemoteJWKSet(new URL('https://id.example/.well-known/jwks.json'))
   * const rules = { issuer: 'https://id.example', audience: 'api', typ: 'at+jwt' }
   * const { payload, protectedHeader } = await jwtVerify(token, keys, rules)
   * verifier.assertNotRevoked(payload, { protectedHeader })
   * ```
   */
  assertNotRevoked(payload: object, options?: VettedBy & AtTime): Standing
  /**
   * After `close` it reports that nothing is held.
   *
   * @example
   * ```ts
   * const { age, stale, entries } = verifier.status()
   * console.log(`${entries} revoked handles, ${age} s old${stale ? ', stale' : ''}`)
   * ```
   */
  status(at?: AtTime): Status
  /**
   * Frees the memory of this verifier; a second call does nothing. Afterwards every method except `status` throws
   * `ERR_VERIFIER_CLOSED`. Without this call, the memory is freed some time after the verifier has been garbage
   * collected.
   *
   * @example
   * ```ts
   * import { createVerifier } from 'doorlist'
   *
   * const verifier = createVerifier({ issuer: 'https://id.example', audience: 'api' })
   * try {
   *   verifier.load(list)
   *   verifier.verify(token)
   * } finally {
   *   verifier.close()
   * }
   * ```
   */
  close(): void
  /**
   * The same as `close`, for `using`. Exists only if the platform has `Symbol.dispose`: Node 20, Chromium 134,
   * workerd, …
   */
  [Symbol.dispose](): void
}

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
   * The handles (`gid` or `sid`) that this list added: all those revoked since the previous list, or, in a first or
   * complete list, all revoked handles. Decoded from the list when the property is first read. A cut-off or a retired
   * key is not included; `assertNotRevoked` considers both.
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
   * A {@link TokenError} with its `cause`. The issuer could not be reached (`ERR_ISSUER_UNREACHABLE`), sent data that
   * was rejected (the code says why), or sent no newer list for longer than a `ttl` (`ERR_LIST_NOT_NEWER`: a cache
   * may have answered; `evidence.cached` is `true` if a request that bypassed caches brought a newer list); or the
   * store failed (`ERR_STORE_FAILED`). The verifier retries automatically. An error without a code is a bug.
   */
  error: Error
}

/**
 * Where a connected verifier keeps its list across restarts. Both functions may be synchronous or asynchronous. If
 * one throws, hangs or returns anything but text, an `error` event reports it. Write access to the store is enough to
 * choose the keys that a verifier starts with, unless `jwks` pins them. Ready-made stores are in `doorlist/stores`
 * and `doorlist/stores/file`.
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
   * once. Not for `lazy`. Default: 10.
   */
  connectTimeout?: number
  /**
   * Saves the list, the trusted keys and the dropped keys, so that a verifier can start while its issuer is
   * unreachable. It then starts from the saved list, with that list's age. Default: none.
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

export interface CreateVerifier {
  (options: VerifierOptions): Verifier
}

export interface ConnectVerifier {
  (options: ConnectOptions): Promise<ConnectedVerifier>
  /**
   * Does no I/O, and uses no timer or randomness, before its first `refresh`: for the module scope of Workers.
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
 * Creates a verifier that does no I/O: you supply the keys and lists.
 *
 * @example
 * ```ts
 * import { createVerifier } from 'doorlist'
 *
 * const verifier = createVerifier({ issuer: 'https://id.example', audience: 'api', jwks })
 * verifier.load(list) // a snapshot or a delta, from any source
 * const { payload } = verifier.verify(token)
 * ```
 */
export const createVerifier: CreateVerifier

/**
 * Finds all addresses in the issuer's metadata (RFC 8414), and resolves when a list is held. That is the issuer's
 * list, or the saved one if the issuer fails once or does not answer within two seconds.
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

/**
 * The stable codes of a {@link TokenError}.
 *
 * @example
 * ```ts
 * import { codes, isTokenError } from 'doorlist'
 *
 * if (isTokenError(error, codes.ERR_JWT_EXPIRED)) console.log('refresh the token')
 * ```
 */
export const codes: {
  readonly ERR_FETCH_FAILED: 'ERR_FETCH_FAILED'
  readonly ERR_ISSUER_UNREACHABLE: 'ERR_ISSUER_UNREACHABLE'
  readonly ERR_JOSE_ALG_NOT_ALLOWED: 'ERR_JOSE_ALG_NOT_ALLOWED'
  readonly ERR_JWKS_INVALID: 'ERR_JWKS_INVALID'
  readonly ERR_JWKS_NO_MATCHING_KEY: 'ERR_JWKS_NO_MATCHING_KEY'
  readonly ERR_JWS_INVALID: 'ERR_JWS_INVALID'
  readonly ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED'
  readonly ERR_JWT_CLAIM_VALIDATION_FAILED: 'ERR_JWT_CLAIM_VALIDATION_FAILED'
  readonly ERR_JWT_EXPIRED: 'ERR_JWT_EXPIRED'
  readonly ERR_JWT_INVALID: 'ERR_JWT_INVALID'
  readonly ERR_JWT_REVOKED: 'ERR_JWT_REVOKED'
  readonly ERR_LIST_GAP: 'ERR_LIST_GAP'
  readonly ERR_LIST_INVALID: 'ERR_LIST_INVALID'
  readonly ERR_LIST_MISSING: 'ERR_LIST_MISSING'
  readonly ERR_LIST_NOT_NEWER: 'ERR_LIST_NOT_NEWER'
  readonly ERR_LIST_ROLLBACK: 'ERR_LIST_ROLLBACK'
  readonly ERR_LIST_STALE: 'ERR_LIST_STALE'
  readonly ERR_METADATA_INVALID: 'ERR_METADATA_INVALID'
  readonly ERR_OPTIONS_INVALID: 'ERR_OPTIONS_INVALID'
  readonly ERR_PLATFORM_UNSUPPORTED: 'ERR_PLATFORM_UNSUPPORTED'
  readonly ERR_STORE_FAILED: 'ERR_STORE_FAILED'
  readonly ERR_VERIFIER_CLOSED: 'ERR_VERIFIER_CLOSED'
  readonly ERR_WASM_UNAVAILABLE: 'ERR_WASM_UNAVAILABLE'
}

export type Code = keyof typeof codes

/**
 * The plain form of a {@link TokenError}, without stack and `cause`: the result of `toJSON`, and the form that
 * survives `JSON` or `postMessage`.
 *
 * @example
 * ```ts
 * import { TokenError, isTokenError } from 'doorlist'
 *
 * if (isTokenError(error)) {
 *   const text = JSON.stringify(error) // { name, code, message, evidence }
 *   throw TokenError.from(JSON.parse(text))
 * }
 * ```
 */
export interface PlainTokenError {
  readonly name: 'TokenError'
  readonly code: Code
  readonly message: string
  /** The facts behind the error; {@link EvidenceByCode} lists their names and types for each code. */
  readonly evidence: Readonly<Record<string, unknown>>
}

/**
 * The evidence of an error, by its code. Times are seconds since 1970; durations are seconds.
 * `isTokenError(error, code)` gives `error.evidence` this type.
 *
 * @example
 * ```ts
 * import { isTokenError } from 'doorlist'
 *
 * if (isTokenError(error, 'ERR_JWT_EXPIRED')) console.log(new Date(error.evidence.expiresAt * 1000))
 * ```
 */
export interface EvidenceByCode {
  readonly ERR_FETCH_FAILED: { readonly url: string }
  readonly ERR_ISSUER_UNREACHABLE: {
    readonly url?: string
    readonly reason?: string
    readonly status?: number
    /** `true` if waiting cannot cure the failure. */
    readonly lasting?: true
  }
  readonly ERR_JOSE_ALG_NOT_ALLOWED: {}
  readonly ERR_JWKS_INVALID: {
    readonly reason?: 'form' | 'private' | 'point' | 'small_order' | 'key_id' | 'too_many'
  }
  /** `trusted` is the number of trusted keys. */
  readonly ERR_JWKS_NO_MATCHING_KEY: { readonly kid: string; readonly trusted: number }
  readonly ERR_JWS_INVALID: {
    readonly reason?: 'parts' | 'encoding' | 'header' | 'key_id' | 'scheme' | 'quotes' | 'white_space'
    readonly length?: number
    readonly limit?: number
  }
  readonly ERR_JWS_SIGNATURE_VERIFICATION_FAILED: {}
  readonly ERR_JWT_CLAIM_VALIDATION_FAILED: {
    readonly claim: string
    readonly reason: 'missing' | 'invalid' | 'check_failed'
    /** One text for `iss`, several for `aud`. */
    readonly expected?: string | readonly string[]
    readonly actual?: string | readonly string[]
    /** Present for `nbf` and `iat`. */
    readonly time?: number
    readonly now?: number
    readonly clockTolerance?: number
  }
  readonly ERR_JWT_EXPIRED: { readonly expiresAt: number; readonly now: number; readonly clockTolerance: number }
  readonly ERR_JWT_INVALID: {}
  /** `handle` is absent for a cut-off. `asOf` is the time of the list. */
  readonly ERR_JWT_REVOKED: { readonly by: 'gid' | 'sid' | 'cutoff'; readonly handle?: string; readonly asOf: number }
  readonly ERR_LIST_GAP: { readonly since: number; readonly held?: string }
  readonly ERR_LIST_INVALID: { readonly reason?: string; readonly claim?: string }
  /** From `connectVerifier`: the reason why there is no list, as in `ERR_ISSUER_UNREACHABLE`. */
  readonly ERR_LIST_MISSING: { readonly reason?: string }
  readonly ERR_LIST_NOT_NEWER: { readonly asOf: number | null; readonly cached: boolean }
  readonly ERR_LIST_ROLLBACK: {
    readonly heldEpoch: string
    readonly heldSequence: number
    readonly offeredEpoch: string
    readonly offeredSequence: number
  }
  readonly ERR_LIST_STALE: { readonly asOf: number; readonly age: number; readonly maxStaleness: number }
  readonly ERR_METADATA_INVALID: {}
  readonly ERR_OPTIONS_INVALID: { readonly option?: string }
  readonly ERR_PLATFORM_UNSUPPORTED: { readonly name: string }
  readonly ERR_STORE_FAILED: {}
  readonly ERR_VERIFIER_CLOSED: {}
  readonly ERR_WASM_UNAVAILABLE: { readonly reason?: string }
}

/**
 * The reason why an operation was refused or failed. The message never contains a token. `structuredClone` and
 * `postMessage` keep only the message of an error, so pass them `error.toJSON()`.
 *
 * @example
 * ```ts
 * import { TokenError } from 'doorlist'
 *
 * // An error of another realm or copy of the package is not an instance: `isTokenError` recognises that too.
 * if (error instanceof TokenError) postMessage({ error: error.toJSON() })
 * ```
 */
export class TokenError extends Error implements PlainTokenError {
  constructor(code: Code, message: string, evidence?: Readonly<Record<string, unknown>>, options?: ErrorOptions)
  /**
   * Converts a plain form, or an error of another copy of this package, into a TokenError. Returns an error of this
   * copy unchanged.
   *
   * @throws {TokenError} `ERR_OPTIONS_INVALID` for anything else
   *
   * @example
   * ```ts
   * import { TokenError, isTokenError } from 'doorlist'
   *
   * worker.onmessage = ({ data }) => {
   *   if (isTokenError(data.error)) throw TokenError.from(data.error)
   * }
   * ```
   */
  static from(error: unknown): TokenError
  readonly name: 'TokenError'
  readonly code: Code
  readonly evidence: Readonly<Record<string, unknown>>
  toJSON(): PlainTokenError
}

/**
 * Whether this is a {@link TokenError}, of any copy or realm of this package, or the plain form of one; and, if
 * `code` is given, whether it has this `code`. Returns false for a code that this version does not know.
 *
 * @example
 * ```ts
 * import { isTokenError } from 'doorlist'
 *
 * if (isTokenError(error)) console.log(error.code)
 * if (isTokenError(error, 'ERR_JWT_REVOKED')) console.log(error.evidence.by) // 'gid', 'sid' or 'cutoff'
 * ```
 */
export function isTokenError<C extends Code = Code>(
  error: unknown,
  code?: C,
): error is Error & PlainTokenError & { readonly code: C; readonly evidence: EvidenceByCode[C] }

/**
 * Whether the token caused this error: answer 401 with `error="invalid_token"` (RFC 6750 §3.1). For all other errors
 * the verifier cannot decide (no list or no key yet, a list that is too old, a closed verifier): answer 503.
 *
 * @example
 * ```ts
 * import { isTokensFault } from 'doorlist'
 *
 * const refusal = new Response(null, { status: isTokensFault(error) ? 401 : 503 })
 * ```
 */
export function isTokensFault(error: unknown): boolean
