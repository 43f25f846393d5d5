/** Rules of verification. Units and names follow `jose`: times are seconds. */
export interface VerifierOptions {
  /** Expected `iss`, compared character by character. Mandatory. */
  issuer: string
  /** Accepted `aud` values, one of which a token must carry. Mandatory; `null` opts out. */
  audience: string | readonly string[] | null
  /** Keys trusted from the start (RFC 7517), at least one of them Ed25519. A loaded list's keys replace them. Default: none. */
  jwks?: { readonly keys: readonly object[] }
  /** Seconds by which `exp`, `nbf` and `iat` may be off; never more than the list's `leeway`. Default: the list's `leeway`. */
  clockTolerance?: number
  /** Seconds after which a list is stale. Default: three times the list's `ttl`. */
  maxStaleness?: number
  /** A stale list: verify all the same and say so in `freshness.stale`, or throw `ERR_LIST_STALE`. Default: `'allow'`. */
  onStale?: 'allow' | 'deny'
  /** No list yet: throw `ERR_LIST_MISSING`, or answer `revocation: 'unknown'`. Default: `'deny'`. */
  onMissing?: 'deny' | 'allow'
  /**
   * Seconds past `exp` for which a token is accepted while the issuer is unheard of: nothing newer than three times the
   * list's `ttl`, and the last list signed before that `exp`. Such an answer has `outage: true`. With `onStale: 'deny'` only together
   * with `maxStaleness`. Default: 0, off.
   */
  outageGrace?: number
  /**
   * How many accepted tokens are remembered, to be checked again without their signature; 0 for none, at most 1000000. Each
   * takes about 1.2 KB, and together they have at most 1024 characters each on average. Default: 20000.
   */
  cacheSize?: number
}

/** The host's idea of the time, where it is known better than by `Date.now()`. */
export interface AtTime {
  /** Default: now. A list that proves a later time wins over it. */
  currentDate?: Date
}

/** The claims of an access token (RFC 9068), as they were signed. */
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
  /** The subject's token group, 16 hex digits. */
  gid: string
  /** The session, 16 hex digits. */
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

/** How current the revocation list behind an answer is. */
export interface Freshness {
  /** NumericDate at which the issuer vouched that nothing was missing; `null` without a list. */
  asOf: number | null
  /** Seconds since `asOf`; `null` without a list. */
  age: number | null
  /** Older than `maxStaleness`. */
  stale: boolean
}

/** What is known of a token that is not revoked. */
export interface Standing {
  /** `'unknown'` only without a list and with `onMissing: 'allow'`. */
  revocation: 'not_revoked' | 'unknown'
  freshness: Freshness
}

/** The answer about a token that is good. */
export interface Verified extends Standing {
  /** Frozen, at every depth: whoever asks about a token seen before is told with the same object. */
  payload: Readonly<AccessTokenClaims>
  /** Frozen too. */
  protectedHeader: Readonly<AccessTokenHeader>
  /** Past its `exp`, and accepted by `outageGrace` because the issuer is unheard of. */
  outage: boolean
}

/** What is known of a token besides its claims. */
export interface VettedBy {
  /** Of which `kid` is read: a key may have been retired since. Default: the key is not looked at. */
  protectedHeader?: object
}

/** A list that was taken. */
export interface Loaded {
  /** The log's lineage, 16 hex digits. */
  epoch: string
  /** The last entry included. */
  sequence: number
  /** What a delta continues from; `null` of a snapshot. */
  since: number | null
  /** How many handles are held as revoked. */
  entries: number
  /** `'unchanged'` when it is the very list that is held. */
  outcome: 'applied' | 'unchanged'
}

/** What a verifier holds. */
export interface Status extends Freshness {
  /** `null` without a list. */
  epoch: string | null
  /** `null` without a list. */
  sequence: number | null
  entries: number
  /** Seconds within which the issuer means to have a newer list; `null` without a list. */
  ttl: number | null
  /** The `kid`s of the trusted keys. */
  keys: string[]
}

declare global {
  /** As TypeScript's own `lib.esnext.disposable` has it, for projects that compile without. */
  interface SymbolConstructor {
    readonly dispose: unique symbol
  }
}

/** Verifies access tokens against what it holds, without any I/O. */
export interface Verifier {
  /**
   * Takes a revocation list, a snapshot or a delta.
   *
   * @throws {TokenError} `ERR_LIST_INVALID`, `ERR_LIST_ROLLBACK` (older than what is held), `ERR_LIST_GAP` (a snapshot is
   *   needed), or a signature's code. What was held stays.
   */
  load(list: string, at?: AtTime): Loaded
  /**
   * Verifies one access token.
   *
   * @throws {TokenError} with a stable `code`; no message holds a token.
   */
  verify(token: string, at?: AtTime): Verified
  /**
   * Asks about a token that somebody else verified, `jose` for example: its signature, `aud`, `nbf` and `exp` are not looked at.
   *
   * @param payload its claims, of which `iss`, `iat`, `gid` and `sid` are read
   * @throws {TokenError} `ERR_JWT_REVOKED`; `ERR_JWT_EXPIRED` when the issuer no longer keeps what would revoke it;
   *   `ERR_JWKS_NO_MATCHING_KEY` when the key that its header names is not trusted (any more);
   *   `ERR_JWT_CLAIM_VALIDATION_FAILED`, also for another issuer's; `ERR_LIST_MISSING` and `ERR_LIST_STALE` by the policies
   */
  assertNotRevoked(payload: object, options?: VettedBy & AtTime): Standing
  /** After `close`: that nothing is held. */
  status(at?: AtTime): Status
  /**
   * Frees the memory of this verifier; a second call does nothing. From then on everything but `status` throws
   * `ERR_VERIFIER_CLOSED`. Without it the memory is freed some time after the verifier was garbage collected.
   */
  close(): void
  /** As `close`, for `using`. Only where the platform has `Symbol.dispose`: Node 20, Chromium 134, workerd, … */
  [Symbol.dispose](): void
}

/**
 * How a connected verifier gets its lists at the moment. `'shared'`: another page or worker of this origin has the stream, or polls, and
 * passes on what is newer.
 */
export type Mode = 'stream' | 'shared' | 'poll' | 'request' | 'closed'

/** A list that brought something. */
export interface Change extends Loaded {
  /**
   * The handles (`gid` or `sid`) that it brought: what was revoked since the last one, or, in a first or full list, all that is.
   * Read out of the list when it is asked for. A cut-off or a retired key is not among them: `assertNotRevoked` knows.
   */
  readonly revoked: readonly string[]
}

/** News of a connected verifier. */
export interface VerifierEvents {
  /** A list brought revocations, keys or another epoch. */
  change: Change
  /**
   * The issuer could not be reached (`ERR_ISSUER_UNREACHABLE`), sent what was not taken (the code says what), or sent no newer
   * list for longer than a `ttl` (`ERR_LIST_NOT_NEWER`: a cache may have answered; `evidence.cached` is `true` when a request
   * past caches brought a newer list); or the store failed (`ERR_STORE_FAILED`). A {@link TokenError} with its `cause`; the
   * verifier goes on by itself. An error without a code is a bug.
   */
  error: Error
}

/**
 * Where a connected verifier keeps its list over a restart: text in, text out, at once or later. One that throws, hangs or
 * answers with anything else is an `error` event. Whoever can write it decides which keys a verifier starts with, unless
 * those are pinned by `jwks`. Ready ones are in `doorlist/stores` and `doorlist/stores/file`.
 */
export interface ListStore {
  /** What was set last, if anything. */
  get(key: string): string | null | undefined | PromiseLike<string | null | undefined>
  /** @param key `doorlist:<issuer>:…`, so that several issuers may share a store */
  set(key: string, value: string): unknown
}

/** Where a connected verifier finds its issuer, besides the rules of verification. */
export interface ConnectOptions extends VerifierOptions {
  /**
   * The http(s) URL of the issuer, which is the `iss` of its tokens, as the issuer spells it: lower-case scheme and host, no default port, no
   * empty or dot segments, no slash at the end. Mandatory.
   */
  issuer: string
  /** Used for every request. Default: the global `fetch`. */
  fetch?: typeof globalThis.fetch
  /** `'auto'` holds a stream and polls while none can be had; `'poll'` only polls. Default: `'auto'`. */
  transport?: 'auto' | 'poll'
  /**
   * Seconds that the first list may take before `connectVerifier` rejects; what cannot get better by waiting is not waited
   * for. Not for `lazy`. Default: 10.
   */
  connectTimeout?: number
  /**
   * Keeps the list, the trusted keys and the dropped ones, so that a verifier can start while its issuer is away: from what was saved,
   * as old as it is. Default: none.
   */
  store?: ListStore
}

/** Something that keeps a Worker alive past its answer: the `ctx` of a `fetch` handler. */
export interface WaitUntil {
  waitUntil(promise: Promise<unknown>): void
}

/** A verifier that keeps itself fresh. */
export interface ConnectedVerifier extends Verifier {
  status(at?: AtTime): Status & { mode: Mode }
  /** Listens; the answer is a function that stops it. */
  on<Name extends keyof VerifierEvents>(name: Name, listener: (news: VerifierEvents[Name]) => void): () => void
  off<Name extends keyof VerifierEvents>(name: Name, listener: (news: VerifierEvents[Name]) => void): void
  /** Asks the issuer now; at most one such request is under way. Rejects with `ERR_ISSUER_UNREACHABLE` when it cannot be reached. */
  refresh(): Promise<void>
  /** Ends every request, stream and timer, writes what the `store` lacks, and frees the memory. */
  close(): void
}

/** A verifier that is refreshed within requests, where nothing may run outside of one. */
export interface LazyVerifier extends Verifier {
  /** Tells adapters that this one wants `refresh` in each request. */
  readonly isLazy: true
  status(at?: AtTime): Status & { mode: Mode }
  on: ConnectedVerifier['on']
  off: ConnectedVerifier['off']
  /**
   * Call it in each request, before `verify`. The first one waits for a list: a saved one, and for at most two seconds more where that
   * is stale or older than three `ttl`. Later ones come back at once and bring the list up to date through `ctx.waitUntil`; without a `ctx` they wait whenever
   * the list is older than its `ttl`. Rejects only while there is no list: a failure later on is an `error` event, and the
   * list goes on to serve.
   */
  refresh(ctx?: WaitUntil): Promise<void>
}

export interface CreateVerifier {
  (options: VerifierOptions): Verifier
}

export interface ConnectVerifier {
  (options: ConnectOptions): Promise<ConnectedVerifier>
  /** No I/O, timer or randomness until its first `refresh`: for module scope in Workers. */
  lazy(options: ConnectOptions): LazyVerifier
}

/** Makes a verifier that does no I/O at all: bring your own keys and lists. */
export const createVerifier: CreateVerifier

/**
 * Finds everything from the issuer's metadata (RFC 8414), and resolves once a list is held: the issuer's, or, after its first failure or
 * two seconds of its silence, the one that was saved.
 */
export const connectVerifier: ConnectVerifier

/** The stable codes of a {@link TokenError}. */
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
 * The plain form of a {@link TokenError}: what `toJSON` gives, and what is left after `JSON` or `postMessage`. It has no stack
 * and no `cause`.
 */
export interface PlainTokenError {
  readonly name: 'TokenError'
  readonly code: Code
  readonly message: string
  /** The facts that the refusal rests on; {@link EvidenceByCode} has their names and types for each code. */
  readonly evidence: Readonly<Record<string, unknown>>
}

/**
 * The evidence of an error, by its code. Times are seconds since 1970; durations are seconds. `isTokenError(error, code)` gives
 * `error.evidence` this type.
 *
 * @example
 * ```ts
 * if (isTokenError(error, 'ERR_JWT_EXPIRED')) console.log(new Date(error.evidence.expiresAt * 1000))
 * ```
 */
export interface EvidenceByCode {
  readonly ERR_FETCH_FAILED: { readonly url: string }
  readonly ERR_ISSUER_UNREACHABLE: {
    readonly url?: string
    readonly reason?: string
    readonly status?: number
    /** `true` for a failure that waiting does not mend. */
    readonly lasting?: true
  }
  readonly ERR_JOSE_ALG_NOT_ALLOWED: {}
  readonly ERR_JWKS_INVALID: {
    readonly reason?: 'form' | 'private' | 'point' | 'small_order' | 'key_id' | 'too_many'
  }
  /** `trusted` is the number of keys that are trusted. */
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
    /** Of `iss` a text, of `aud` several. */
    readonly expected?: string | readonly string[]
    readonly actual?: string | readonly string[]
    /** Of `nbf` and `iat`. */
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
  /** After `connectVerifier`: why there is no list, as in `ERR_ISSUER_UNREACHABLE`. */
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
 * Why something was refused, or failed. The message never holds a token. `structuredClone` and `postMessage` keep no more of
 * an error than its message: hand over `error.toJSON()`.
 */
export class TokenError extends Error implements PlainTokenError {
  constructor(code: Code, message: string, evidence?: Readonly<Record<string, unknown>>, options?: ErrorOptions)
  /**
   * Makes an error of a plain form, or of an error of another copy of this package; one of this copy is given back.
   *
   * @throws {TokenError} `ERR_OPTIONS_INVALID` for anything else
   */
  static from(error: unknown): TokenError
  readonly name: 'TokenError'
  readonly code: Code
  readonly evidence: Readonly<Record<string, unknown>>
  toJSON(): PlainTokenError
}

/**
 * Whether this is a {@link TokenError} of any copy or realm of this package, or its plain form, and of this `code` where one
 * is given. A value whose code this version does not know is not one.
 */
export function isTokenError<C extends Code = Code>(
  error: unknown,
  code?: C,
): error is Error & PlainTokenError & { readonly code: C; readonly evidence: EvidenceByCode[C] }

/**
 * Whether the token is to blame for this error: answer 401 with `error="invalid_token"` (RFC 6750 §3.1). For all other errors the
 * verifier cannot tell (no list or no key yet, a list that is too old, a closed verifier): answer 503.
 *
 * @example
 * ```ts
 * try {
 *   verifier.verify(token)
 * } catch (error) {
 *   return new Response(null, { status: isTokensFault(error) ? 401 : 503 })
 * }
 * ```
 */
export function isTokensFault(error: unknown): boolean
