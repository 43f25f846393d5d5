import type { AccessTokenClaims } from './index.js'

/** How the issuer of a test differs from the usual one. */
export interface TestIssuerOptions {
  /** The `iss` of tokens and lists; an http(s) URL, spelt as for `connectVerifier`. Default: `https://issuer.test`. */
  issuer?: string
  /** The `aud` of tokens. Default: `api`. */
  audience?: string
}

/** The claims of a revocation list, those that are given instead of the usual ones. */
export interface TestListClaims {
  /** When it was signed, NumericDate. Default: now. */
  iat?: number
  /** Seconds until there should be a newer one. Default: 60. */
  ttl?: number
  [claim: string]: unknown
}

/** An issuer in memory. What it signs, real verifiers verify; there is no process, port or file. */
export interface TestIssuer {
  /** For `createVerifier`, and with `fetch` beside it for `connectVerifier`. */
  readonly rules: {
    readonly issuer: string
    readonly audience: string
    readonly jwks: { readonly keys: readonly object[] }
  }
  /** Answers `connectVerifier`: metadata, keys, the list and the stream. */
  readonly fetch: typeof globalThis.fetch
  /**
   * An access token of `alice`, issued now for 15 minutes, of a session of its own. Claims that are given replace the usual
   * ones; `undefined` leaves one out.
   */
  token(claims?: Partial<AccessTokenClaims>): Promise<string>
  /** A snapshot of all that was revoked. Claims that are given replace the usual ones. */
  list(claims?: TestListClaims): Promise<string>
  /** Kicks a subject: all tokens it has. Later ones are good. Whoever follows the stream is told. */
  revoke(sub: string): Promise<void>
  /**
   * Ends the session of this token.
   *
   * @throws {TokenError} `ERR_OPTIONS_INVALID` for a token without one
   */
  endSession(token: string): Promise<void>
  /** Voids every token there is. Later ones are good; they carry an `iat` one second ahead. */
  cutOff(): Promise<void>
  /** Retires the key that signs; another takes its place. */
  retireKey(): Promise<void>
}

/** Makes an issuer with keys of its own. */
export function createTestIssuer(options?: TestIssuerOptions): Promise<TestIssuer>
