import type { AccessTokenClaims } from './index.js'

/** The settings of a test issuer. */
export interface TestIssuerOptions {
  /**
   * The `iss` of tokens and lists; an http(s) URL, spelled as for `connectVerifier`. Default: `https://issuer.test`.
   */
  issuer?: string
  /** The `aud` of tokens. Default: `api`. */
  audience?: string
}

/** The claims of a revocation list that replace the defaults. */
export interface TestListClaims {
  /** The time of signing, NumericDate. Default: now. */
  iat?: number
  /** Seconds within which a newer list should follow. Default: 60. */
  ttl?: number
  [claim: string]: unknown
}

/** An issuer in memory, without process, port or file. Real verifiers accept its signatures. */
export interface TestIssuer {
  /** Options for `createVerifier`, or, together with `fetch`, for `connectVerifier`. */
  readonly rules: {
    readonly issuer: string
    readonly audience: string
    readonly jwks: { readonly keys: readonly object[] }
  }
  /** Answers the requests of `connectVerifier`: metadata, keys, list and stream. */
  readonly fetch: typeof globalThis.fetch
  /**
   * Returns an access token of `alice`, issued now, valid for 15 minutes, with a session of its own. Given claims
   * replace the defaults; `undefined` removes a claim.
   */
  token(claims?: Partial<AccessTokenClaims>): Promise<string>
  /** Returns a snapshot of everything revoked so far. Given claims replace the defaults. */
  list(claims?: TestListClaims): Promise<string>
  /**
   * Kicks a subject: revokes all tokens issued to it so far. Later tokens are valid. Subscribers of the stream get
   * the new list.
   */
  revoke(sub: string): Promise<void>
  /**
   * Ends the session of this token.
   *
   * @throws {TokenError} `ERR_OPTIONS_INVALID` if the token has no session
   */
  endSession(token: string): Promise<void>
  /** Voids every token issued so far. Later tokens are valid; their `iat` is one second ahead. */
  cutOff(): Promise<void>
  /** Retires the signing key and replaces it. */
  retireKey(): Promise<void>
}

/** Creates an issuer with its own keys. */
export function createTestIssuer(options?: TestIssuerOptions): Promise<TestIssuer>
