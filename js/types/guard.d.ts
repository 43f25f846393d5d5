import type { LazyVerifier, Verifier } from './index.js'

/** What the adapters take: `createVerifier`'s, a connected one, or a lazy one, which they refresh in each request. */
export type AnyVerifier = Verifier | LazyVerifier

/** Where a token comes from. */
export interface TokenSource {
  /**
   * The name of a cookie that has the token when there is no `Authorization: Bearer`. A browser sends it by itself, also from
   * other sites: set it `SameSite=Strict` (or `Lax`, where no GET changes anything). Default: none.
   */
  cookie?: string
}

/** Where a token comes from, and whether one must. */
export interface AuthenticateOptions extends TokenSource {
  /** A request without a token goes on without one; a token that is refused is refused. Default: false. */
  optional?: boolean
}
