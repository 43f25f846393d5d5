import type { Code, EvidenceByCode, PlainTokenError, codes as Codes } from '../types/index.js'
import { isPlain, plainOf } from './plain-errors.js'

export const codes: typeof Codes = /* @__PURE__ */ Object.freeze({
  ERR_FETCH_FAILED: 'ERR_FETCH_FAILED',
  ERR_ISSUER_UNREACHABLE: 'ERR_ISSUER_UNREACHABLE',
  ERR_JOSE_ALG_NOT_ALLOWED: 'ERR_JOSE_ALG_NOT_ALLOWED',
  ERR_JWKS_INVALID: 'ERR_JWKS_INVALID',
  ERR_JWKS_NO_MATCHING_KEY: 'ERR_JWKS_NO_MATCHING_KEY',
  ERR_JWS_INVALID: 'ERR_JWS_INVALID',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  ERR_JWT_CLAIM_VALIDATION_FAILED: 'ERR_JWT_CLAIM_VALIDATION_FAILED',
  ERR_JWT_EXPIRED: 'ERR_JWT_EXPIRED',
  ERR_JWT_INVALID: 'ERR_JWT_INVALID',
  ERR_JWT_REVOKED: 'ERR_JWT_REVOKED',
  ERR_LIST_GAP: 'ERR_LIST_GAP',
  ERR_LIST_INVALID: 'ERR_LIST_INVALID',
  ERR_LIST_MISSING: 'ERR_LIST_MISSING',
  ERR_LIST_NOT_NEWER: 'ERR_LIST_NOT_NEWER',
  ERR_LIST_ROLLBACK: 'ERR_LIST_ROLLBACK',
  ERR_LIST_STALE: 'ERR_LIST_STALE',
  ERR_METADATA_INVALID: 'ERR_METADATA_INVALID',
  ERR_OPTIONS_INVALID: 'ERR_OPTIONS_INVALID',
  ERR_PLATFORM_UNSUPPORTED: 'ERR_PLATFORM_UNSUPPORTED',
  ERR_STORE_FAILED: 'ERR_STORE_FAILED',
  ERR_VERIFIER_CLOSED: 'ERR_VERIFIER_CLOSED',
  ERR_WASM_UNAVAILABLE: 'ERR_WASM_UNAVAILABLE',
} as const)

export class TokenError extends Error {
  override readonly name = 'TokenError'

  constructor(
    readonly code: Code,
    message: string,
    readonly evidence: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
  }

  static from(error: unknown): TokenError {
    if (error instanceof TokenError) return error
    if (!isTokenError(error))
      throw invalidOption('`error` must be a TokenError or its plain form, `{ name, code, message, evidence }`')
    const { code, message, evidence, cause } = error as PlainTokenError & { cause?: unknown }
    return new TokenError(code, message, { ...evidence }, cause === undefined ? undefined : { cause })
  }

  toJSON(): PlainTokenError {
    return plainOf(this)
  }
}

/**
 * Compares the members of the error, and not its class, for two reasons. An application can contain this package twice
 * (as ESM and as CommonJS, or in two realms). In addition, an error that was sent with `postMessage` or as JSON is a
 * plain object.
 */
export function isTokenError<C extends Code = Code>(
  error: unknown,
  code?: C,
): error is Error & PlainTokenError & { readonly code: C; readonly evidence: EvidenceByCode[C] } {
  return isPlain(error, 'TokenError', found => Object.hasOwn(codes, found) && (code ?? found) === found)
}

/** The codes of errors that the token itself causes. All other codes concern the verifier, its list or its options. */
const ABOUT_TOKENS: ReadonlySet<string> = /* @__PURE__ */ new Set<Code>([
  'ERR_JOSE_ALG_NOT_ALLOWED',
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JWS_INVALID',
  'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  'ERR_JWT_CLAIM_VALIDATION_FAILED',
  'ERR_JWT_EXPIRED',
  'ERR_JWT_INVALID',
  'ERR_JWT_REVOKED',
])

export function isTokensFault(error: unknown): boolean {
  if (!isTokenError(error) || !ABOUT_TOKENS.has(error.code)) return false
  // While the verifier trusts no key yet, it finds no key for any token. In this case a missing key is not the token's
  // fault.
  return error.code !== 'ERR_JWKS_NO_MATCHING_KEY' || error.evidence['trusted'] !== 0
}

export const invalidOption = (message: string, evidence: Readonly<Record<string, unknown>> = {}): TokenError =>
  new TokenError('ERR_OPTIONS_INVALID', message, evidence)

export const closedVerifier = (): TokenError =>
  new TokenError('ERR_VERIFIER_CLOSED', 'this verifier was closed: make a new one, or close it later')
