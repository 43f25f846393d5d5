import type { AccessTokenClaims } from './index.js'

/**
 * The settings of a test issuer.
 *
 * @example
 * ```ts
 * import { createTestIssuer } from 'doorlist/testing'
 *
 * const issuer = await createTestIssuer({ issuer: 'https://id.example', audience: 'shop' })
 * ```
 */
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

/**
 * An issuer in memory, without process, port or file. Real verifiers accept the signatures of this issuer.
 *
 * @example
 * ```ts
 * import { connectVerifier } from 'doorlist'
 * import { createTestIssuer } from 'doorlist/testing'
 *
 * const issuer = await createTestIssuer()
 * const verifier = await connectVerifier({ ...issuer.rules, fetch: issuer.fetch }) // follows it without a network
 * verifier.on('change', ({ revoked }) => console.log(revoked))
 * await issuer.revoke('alice')
 * ```
 */
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
   *
   * @example
   * ```ts
   * const admin = await issuer.token({ sub: 'alice', scope: 'admin' })
   * const expired = await issuer.token({ exp: 1 })
   * const withoutSession = await issuer.token({ sid: undefined })
   * ```
   */
  token(claims?: Partial<AccessTokenClaims>): Promise<string>
  /**
   * Returns a snapshot of everything revoked so far. Given claims replace the defaults.
   *
   * @example
   * ```ts
   * verifier.load(await issuer.list())
   * ```
   */
  list(claims?: TestListClaims): Promise<string>
  /**
   * Kicks a subject: revokes all tokens issued to it so far. Later tokens are valid. Subscribers of the stream get
   * the new list.
   *
   * @example
   * ```ts
   * const token = await issuer.token({ sub: 'alice' })
   * await issuer.revoke('alice')
   * verifier.load(await issuer.list())
   * verifier.verify(token) // throws ERR_JWT_REVOKED
   * ```
   */
  revoke(sub: string): Promise<void>
  /**
   * Ends the session of this token.
   *
   * @throws {TokenError} `ERR_OPTIONS_INVALID` if the token has no session
   *
   * @example
   * ```ts
   * const [phone, laptop] = [await issuer.token(), await issuer.token()]
   * await issuer.endSession(phone)
   * verifier.load(await issuer.list())
   * verifier.verify(laptop) // still accepted
   * ```
   */
  endSession(token: string): Promise<void>
  /**
   * Revokes every token issued so far with a cut-off. Later tokens are valid; their `iat` is one second ahead of the
   * clock.
   *
   * @example
   * ```ts
   * const old = await issuer.token()
   * await issuer.cutOff()
   * verifier.load(await issuer.list())
   * verifier.verify(old) // throws ERR_JWT_REVOKED
   * ```
   */
  cutOff(): Promise<void>
  /**
   * Retires the signing key and replaces it.
   *
   * @example
   * ```ts
   * const old = await issuer.token()
   * await issuer.retireKey()
   * verifier.load(await issuer.list())
   * verifier.verify(old) // throws ERR_JWKS_NO_MATCHING_KEY
   * ```
   */
  retireKey(): Promise<void>
}

/**
 * Creates an issuer with its own keys.
 *
 * @example
 * ```ts
 * import { createVerifier } from 'doorlist'
 * import { createTestIssuer } from 'doorlist/testing'
 *
 * const issuer = await createTestIssuer()
 * const verifier = createVerifier(issuer.rules)
 * verifier.load(await issuer.list())
 * verifier.verify(await issuer.token({ sub: 'alice' })).payload.sub // 'alice'
 * ```
 */
export function createTestIssuer(options?: TestIssuerOptions): Promise<TestIssuer>
