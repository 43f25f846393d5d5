import type { Host } from '../host.js'

/** An access token, and the time from which its lifetime is counted. */
export interface AccessToken {
  readonly value: string
  readonly claims: { readonly sid: string; readonly iat: number; readonly [claim: string]: unknown }
  /** `expires_in` in milliseconds, counted from `since`. */
  readonly lifetimeMs: number
  readonly since: Moment
  /**
   * Milliseconds from `since` until the next token is requested. It is a random time between 70 and 90 % of this
   * token's lifetime (seen in the field: mozilla/fxa-oauth-server#370).
   */
  readonly dueMs: number
}

/**
 * A time on both clocks. One clock alone is not enough: the monotonic clock can stop while a laptop sleeps, and a user
 * can set the wall clock.
 */
export interface Moment {
  readonly wall: number
  readonly monotonic: number
}

export const moment = (host: Host): Moment => ({ wall: host.now(), monotonic: host.monotonic() })

/**
 * The milliseconds that have passed after `since`. If the two clocks differ, the longer time counts. So a wall clock
 * that is set ahead causes an early refresh, but does not end the session.
 */
export const elapsed = (since: Moment, host: Host): number =>
  Math.max(host.now() - since.wall, host.monotonic() - since.monotonic)

/**
 * Whether the token can still be used. A token counts as unusable in the last 1 % of its lifetime, because a request
 * takes time.
 */
export const isLive = ({ since, lifetimeMs }: AccessToken, host: Host): boolean =>
  elapsed(since, host) < 0.99 * lifetimeMs

/**
 * The maximum number of milliseconds between two answers with the same token. After a longer time, an answer with the
 * same token is old. The issuer returns the same token for two requests in the same second.
 */
const SAME_MS = 10_000

/**
 * Whether an answer of `/token` is current. A service worker or a proxy can repeat an old answer. The token in an old
 * answer equals the last token, or has already expired by the issuer's clock. The issuer's time is computed from the
 * last token. The wall clock is not used, because a user can set the wall clock.
 */
export const isNew = ({ value, claims, lifetimeMs }: AccessToken, last: AccessToken | undefined, host: Host): boolean =>
  !last ||
  host.monotonic() - last.since.monotonic - (claims.iat - last.claims.iat) * 1000 <
    (value === last.value ? SAME_MS : lifetimeMs)

/** The issuer's time in milliseconds: the token's `iat` plus the time that has passed after `since`. */
export const issuerTime = ({ claims, since }: AccessToken, host: Host): number =>
  claims.iat * 1000 + elapsed(since, host)

/**
 * Parses a token. The signature is not verified, because the token came from the issuer over TLS. Returns `undefined`
 * if the text is not a token.
 */
export function accessToken(value: string, lifetimeMs: number, since: Moment, host: Host): AccessToken | undefined {
  try {
    // The payload is decoded as Latin-1. The claims that this package reads are ASCII. Other claims may contain other
    // characters, but the JSON stays valid.
    const claims = JSON.parse(atob(value.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/'))) as AccessToken['claims']
    if (claims.sid && lifetimeMs > 0)
      return { value, claims, lifetimeMs, since, dueMs: lifetimeMs * (0.7 + 0.2 * host.random()) }
  } catch {
    // The text is not a token, so the result is `undefined`.
  }
  return
}
