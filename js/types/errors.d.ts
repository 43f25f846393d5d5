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
 * The plain form of a {@link TokenError}, without stack and `cause`. It is the result of `toJSON`, and can be sent as
 * JSON or with `postMessage`.
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
  /** The data that explains the error. {@link EvidenceByCode} lists the names and types for each code. */
  readonly evidence: Readonly<Record<string, unknown>>
}

/**
 * The type of the evidence for each code. Times are in seconds since 1970, and durations are in seconds. If
 * `isTokenError(error, code)` returns true, `error.evidence` has this type.
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
    /** `true` if waiting would not end the failure. */
    readonly lasting?: true
  }
  readonly ERR_JOSE_ALG_NOT_ALLOWED: {}
  readonly ERR_JWKS_INVALID: {
    readonly reason?: 'form' | 'private' | 'point' | 'small_order' | 'key_id' | 'too_many'
  }
  /** `trusted` is the number of keys that the verifier trusts. */
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
    /** For `iss` a single text; for `aud` a list of texts. */
    readonly expected?: string | readonly string[]
    readonly actual?: string | readonly string[]
    /** Present if the claim is `nbf` or `iat`. */
    readonly time?: number
    readonly now?: number
    readonly clockTolerance?: number
  }
  readonly ERR_JWT_EXPIRED: { readonly expiresAt: number; readonly now: number; readonly clockTolerance: number }
  readonly ERR_JWT_INVALID: {}
  /** `handle` is absent if a cut-off revoked the token. `asOf` is the time of the list. */
  readonly ERR_JWT_REVOKED: { readonly by: 'gid' | 'sid' | 'cutoff'; readonly handle?: string; readonly asOf: number }
  readonly ERR_LIST_GAP: { readonly since: number; readonly held?: string }
  readonly ERR_LIST_INVALID: { readonly reason?: string; readonly claim?: string }
  /**
   * The reason why the verifier has no list, with the same values as in `ERR_ISSUER_UNREACHABLE`. Present if the error
   * is from `connectVerifier`.
   */
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
 * The error that this package throws when an operation was refused or failed. The message never contains a token.
 * `structuredClone` and `postMessage` keep only the message of an error, so pass `error.toJSON()` instead of the error.
 *
 * @example
 * ```ts
 * import { TokenError } from 'doorlist'
 *
 * // For an error of another realm or copy of the package, `instanceof` is false, but `isTokenError` is true.
 * if (error instanceof TokenError) postMessage({ error: error.toJSON() })
 * ```
 */
export class TokenError extends Error implements PlainTokenError {
  constructor(code: Code, message: string, evidence?: Readonly<Record<string, unknown>>, options?: ErrorOptions)
  /**
   * Converts the plain form of an error, or an error of another copy of this package, into a TokenError. An error that
   * is already a TokenError of this copy is returned unchanged.
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
 * Whether a value is a {@link TokenError} or the plain form of a TokenError. The error can come from another copy or
 * realm of this package. If `code` is given, the error must also have this `code`. Returns false if this version does
 * not know the code of the error.
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
 * Whether the token itself caused this error. If so, answer 401 with `error="invalid_token"` (RFC 6750 §3.1). With any
 * other error the verifier cannot decide (there is no list or no key yet, the list is too old, or the verifier is
 * closed). In this case answer 503.
 *
 * @example
 * ```ts
 * import { isTokensFault } from 'doorlist'
 *
 * const refusal = new Response(null, { status: isTokensFault(error) ? 401 : 503 })
 * ```
 */
export function isTokensFault(error: unknown): boolean
