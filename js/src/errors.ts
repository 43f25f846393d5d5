import type { Code, codes as Codes } from '../types/index.js'

export const codes: typeof Codes = /* @__PURE__ */ Object.freeze({
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
}

/** By shape, not by class: an application may hold this package twice, once as ESM and once as CJS. */
export function isTokenError<C extends Code = Code>(
  error: unknown,
  code?: C,
): error is TokenError & { readonly code: C } {
  if (!(error instanceof Error) || error.name !== 'TokenError' || !('code' in error)) return false
  return code === undefined ? typeof error.code === 'string' && error.code in codes : error.code === code
}

export const invalidOption = (message: string, evidence: Readonly<Record<string, unknown>> = {}): TokenError =>
  new TokenError('ERR_OPTIONS_INVALID', message, evidence)
