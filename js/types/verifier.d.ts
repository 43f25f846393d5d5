/**
 * The rules by which a verifier accepts tokens. Names and units are the same as in `jose`: durations are in seconds.
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
  /** The expected `iss`. The `iss` of a token or list must be exactly equal to this text. Mandatory. */
  issuer: string
  /**
   * The accepted `aud` values. A token must have at least one of these values; `null` accepts every `aud`. Mandatory.
   */
  audience: string | readonly string[] | null
  /**
   * The keys that the verifier trusts at its start (RFC 7517). At least one key must be an Ed25519 key. When a list is
   * loaded, the keys in the list replace these keys. Default: no keys.
   */
  jwks?: { readonly keys: readonly object[] }
  /**
   * The clock difference in seconds that is allowed in `exp`, `nbf` and `iat`. The maximum is the list's `leeway`.
   * Default: the list's `leeway`.
   */
  clockTolerance?: number
  /** The age in seconds from which a list counts as stale. Default: three times the list's `ttl`. */
  maxStaleness?: number
  /**
   * The effect of a stale list. `'allow'`: the token is checked with this list, and `freshness.stale` is set. `'deny'`:
   * `ERR_LIST_STALE` is thrown. Default: `'allow'`.
   */
  onStale?: 'allow' | 'deny'
  /**
   * The effect of a missing list. `'deny'`: `ERR_LIST_MISSING` is thrown. `'allow'`: the result is `revocation:
   * 'unknown'`. Default: `'deny'`.
   */
  onMissing?: 'deny' | 'allow'
  /**
   * In an outage of the issuer, a token is still accepted for this many seconds after its `exp`. The result then has
   * `outage: true`. There is an outage if the newest list is older than three times its `ttl` and was signed before the
   * token's `exp`. With `onStale: 'deny'` this option requires `maxStaleness`. Default: 0 (off).
   */
  outageGrace?: number
  /**
   * The maximum number of accepted tokens that the verifier remembers, from 0 (no tokens) to 1000000. The signature of
   * a remembered token is not verified again. Each remembered token takes about 1.2 KB. If tokens have more than 1024
   * characters on average, the verifier remembers fewer tokens. Default: 20000.
   */
  cacheSize?: number
}

/**
 * The current time, for callers that know the time better than `Date.now()` does.
 *
 * @example
 * ```ts
 * verifier.verify(token, { currentDate: session.currentDate() })
 * ```
 */
export interface AtTime {
  /** Default: now. If a list proves that a later time has been reached, this later time is used instead. */
  currentDate?: Date
}

/** The signed claims of an access token (RFC 9068). */
export interface AccessTokenClaims {
  iss: string
  sub: string
  aud: string | string[]
  /** NumericDate: seconds since 1970. */
  exp: number
  /** NumericDate: seconds since 1970. */
  iat: number
  /** NumericDate: seconds since 1970. */
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

/** The age of the revocation list with which a token was checked. */
export interface Freshness {
  /** The time (NumericDate) at which the issuer confirmed that the list was complete; `null` without a list. */
  asOf: number | null
  /** Seconds since `asOf`; `null` without a list. */
  age: number | null
  /** Whether the list is older than `maxStaleness`. */
  stale: boolean
}

/** The result of a revocation check in which no revocation was found. */
export interface Verdict {
  /** `'unknown'` is possible only without a list and with `onMissing: 'allow'`. */
  revocation: 'not_revoked' | 'unknown'
  freshness: Freshness
}

/** The result for a valid token. */
export interface Verified extends Verdict {
  /** The object is deeply frozen, because later calls for the same token return the same object. */
  payload: Readonly<AccessTokenClaims>
  /** The object is deeply frozen, like `payload`. */
  protectedHeader: Readonly<AccessTokenHeader>
  /** `true` if the token's `exp` has passed and the token was accepted because of `outageGrace`. */
  outage: boolean
}

/** Data that `assertNotRevoked` checks in addition to the claims. */
export interface VettedBy {
  /**
   * The token's header. If you pass the header, the key that the header names must still be trusted: a key can be
   * retired after a token was verified. Default: the key is not checked.
   */
  protectedHeader?: object
}

/** The result of loading a list. */
export interface Loaded {
  /** The epoch: the identifier of the revocation log, 16 hex digits. */
  epoch: string
  /** The sequence number of the last entry in the list. */
  sequence: number
  /** For a delta, the sequence number after which its entries begin; `null` for a snapshot. */
  since: number | null
  /** The number of revoked handles that the verifier holds after loading. */
  entries: number
  /** `'unchanged'` if the verifier already held exactly the same list. */
  outcome: 'applied' | 'unchanged'
}

/** The list and the keys that a verifier holds. */
export interface Status extends Freshness {
  /** `null` without a list. */
  epoch: string | null
  /** `null` without a list. */
  sequence: number | null
  entries: number
  /** The number of seconds within which the issuer intends to publish a newer list; `null` without a list. */
  ttl: number | null
  /** The `kid`s of the trusted keys. */
  keys: string[]
}

declare global {
  /**
   * TypeScript's `lib.esnext.disposable` has the same declaration. The declaration is repeated here for projects that
   * compile without that library.
   */
  interface SymbolConstructor {
    readonly dispose: unique symbol
  }
}

/** Verifies access tokens with the keys and the list that the verifier holds. Does no I/O. */
export interface Verifier {
  /**
   * Loads a revocation list, which is a snapshot or a delta.
   *
   * @throws {TokenError} `ERR_LIST_INVALID`; `ERR_LIST_ROLLBACK` if the list is older than the list that is held;
   * `ERR_LIST_GAP` if a snapshot is needed; or the code of a signature error. After an error the verifier keeps the
   * list that it held before.
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
   * Checks whether a token is revoked. Use this method for a token that another library, for example `jose`, has
   * verified. The method does not check the signature, `aud`, `nbf` or `exp`.
   *
   * @param payload the token's claims; only `iss`, `iat`, `gid` and `sid` are read
   *
   * @throws {TokenError} with one of these codes:
   * - `ERR_JWT_REVOKED`: the token is revoked.
   * - `ERR_JWT_EXPIRED`: the token is so old that the issuer no longer keeps its revocations.
   * - `ERR_JWKS_NO_MATCHING_KEY`: the key that the header names is not trusted, or not trusted any more.
   * - `ERR_JWT_CLAIM_VALIDATION_FAILED`: a claim is invalid, or the token is from another issuer.
   * - `ERR_LIST_MISSING` or `ERR_LIST_STALE`: depends on the options `onMissing` and `onStale`.
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
  assertNotRevoked(payload: object, options?: VettedBy & AtTime): Verdict
  /**
   * Returns information about the list and the keys that the verifier holds. After `close` the verifier holds no list
   * and no key.
   *
   * @example
   * ```ts
   * const { age, stale, entries } = verifier.status()
   * console.log(`${entries} revoked handles, ${age} s old${stale ? ', stale' : ''}`)
   * ```
   */
  status(at?: AtTime): Status
  /**
   * Frees the memory of this verifier. A second call does nothing. After `close` every method except `status` throws
   * `ERR_VERIFIER_CLOSED`. If `close` is never called, the memory is freed some time after the verifier was garbage
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
   * The same method as `close`, for `using`. The method exists only on platforms with `Symbol.dispose`, for example
   * Node 20, Chromium 134 and workerd.
   */
  [Symbol.dispose](): void
}

export interface CreateVerifier {
  (options: VerifierOptions): Verifier
}

/**
 * Creates a verifier that does no I/O. The application supplies the keys and the lists.
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
