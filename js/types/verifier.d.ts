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
   * newest list is older than three times its `ttl` and was signed before the token's `exp`. The result then has
   * `outage: true`. With `onStale: 'deny'` this option requires `maxStaleness`. Default: 0, off.
   */
  outageGrace?: number
  /**
   * The number of accepted tokens to remember, from 0 (none) to 1000000. A remembered token is checked again without
   * verifying its signature. Each token takes about 1.2 KB. The remembered tokens have at most 1024 characters on
   * average; if tokens are longer, fewer are remembered. Default: 20000.
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
   * The token's header. If the header is given, its `kid` is checked, because the key may have been retired meanwhile.
   * Default: the key is not checked.
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
   * `ERR_LIST_GAP` (a snapshot is needed), or the code of a signature error. The verifier then keeps the list that it
   * held.
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
   * token; `ERR_JWKS_NO_MATCHING_KEY` if the key named in its header is not trusted (any more);
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
   * The list and the keys that the verifier holds. After `close` it holds nothing.
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
   * The same as `close`, for `using`. This method exists only if the platform has `Symbol.dispose`: Node 20, Chromium
   * 134, workerd, …
   */
  [Symbol.dispose](): void
}

export interface CreateVerifier {
  (options: VerifierOptions): Verifier
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
