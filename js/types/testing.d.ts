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
   * The `iss` of tokens and lists: an http(s) URL in the same spelling as for `connectVerifier`. Default:
   * `https://issuer.test`.
   */
  issuer?: string
  /** The `aud` of tokens. Default: `api`. */
  audience?: string
}

/** The claims of a revocation list. A given claim replaces the default. */
export interface TestListClaims {
  /** The time at which the list is signed, as NumericDate. Default: now. */
  iat?: number
  /** The number of seconds within which a newer list should follow. Default: 60. */
  ttl?: number
  [claim: string]: unknown
}

/**
 * An issuer in memory, without a process, port or file. Its signatures are real, so every verifier can accept them.
 *
 * @example
 * ```ts
 * import { connectVerifier } from 'doorlist'
 * import { createTestIssuer } from 'doorlist/testing'
 *
 * const issuer = await createTestIssuer()
 * const verifier = await connectVerifier({ ...issuer.rules, fetch: issuer.fetch }) // follows the issuer offline
 * verifier.on('change', ({ revoked }) => console.log(revoked))
 * await issuer.revoke('alice')
 * ```
 */
export interface TestIssuer {
  /** Options for `createVerifier`. Together with `fetch` they are also options for `connectVerifier`. */
  readonly rules: {
    readonly issuer: string
    readonly audience: string
    readonly jwks: { readonly keys: readonly object[] }
  }
  /** Answers the requests of `connectVerifier`: metadata, keys, list and stream. */
  readonly fetch: typeof globalThis.fetch
  /**
   * Returns an access token. By default, the token belongs to `alice`, is issued now, is valid for 15 minutes and has
   * its own session. Given claims replace the defaults. The value `undefined` removes a claim.
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
   * Returns a snapshot of all revocations up to now. Given claims replace the defaults.
   *
   * @example
   * ```ts
   * verifier.load(await issuer.list())
   * ```
   */
  list(claims?: TestListClaims): Promise<string>
  /**
   * Kicks a subject: revokes all tokens that the subject has now. Tokens that are issued later are valid. Subscribers
   * of the stream get the new list.
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
   * Revokes all tokens of all subjects with a cut-off. Tokens that are issued later are valid. Their `iat` can be one
   * second ahead of the clock.
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
   * Retires the signing key. The reserve key becomes the signing key.
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
 * Creates a test issuer with new keys.
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
