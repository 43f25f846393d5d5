import type { Host } from '../host.js'

/** An access token, and the time from which its lifetime is counted. */
export interface AccessToken {
  readonly value: string
  readonly claims: { readonly sid: string; readonly iat: number; readonly [claim: string]: unknown }
  /** `expires_in` in milliseconds, counted from `since`. */
  readonly lifetimeMs: number
  readonly since: Moment
  /**
   * Milliseconds from `since` until the next token is requested: a random point from 70 to 90 % of this token's
   * lifetime (field: mozilla/fxa-oauth-server#370).
   */
  readonly dueMs: number
}

/** The time on both clocks: the monotonic clock may stop while a laptop sleeps, and the wall clock may be set. */
export interface Moment {
  readonly wall: number
  readonly monotonic: number
}

export const moment = (host: Host): Moment => ({ wall: host.now(), monotonic: host.monotonic() })

/**
 * Milliseconds since `since`, by the clock that shows the longer time. If the wall clock is set ahead, the token is
 * refreshed too early, but the session is not lost.
 */
export const elapsed = (since: Moment, host: Host): number =>
  Math.max(host.now() - since.wall, host.monotonic() - since.monotonic)

/**
 * Whether the token can still be used. In the last 1 % of its lifetime it no longer counts as usable, because requests
 * take time.
 */
export const isLive = ({ since, lifetimeMs }: AccessToken, host: Host): boolean =>
  elapsed(since, host) < 0.99 * lifetimeMs

/**
 * The issuer returns one token for two requests in the same second. Both answers must arrive within this many
 * milliseconds.
 */
const SAME_MS = 10_000

/**
 * Whether an answer of `/token` is current. A service worker or a proxy may repeat an old answer. The token of an old
 * answer equals the last token, or has expired by the issuer's time. The issuer's time is computed from the last token,
 * not from the wall clock, which may be set.
 */
export const isNew = ({ value, claims, lifetimeMs }: AccessToken, last: AccessToken | undefined, host: Host): boolean =>
  !last ||
  host.monotonic() - last.since.monotonic - (claims.iat - last.claims.iat) * 1000 <
    (value === last.value ? SAME_MS : lifetimeMs)

/** The issuer's time in milliseconds: the token's `iat` plus the time that has elapsed since `since`. */
export const issuerTime = ({ claims, since }: AccessToken, host: Host): number =>
  claims.iat * 1000 + elapsed(since, host)

/**
 * Parses a token. Nothing is verified here, because the token came from the issuer itself, over TLS. Returns
 * `undefined` if the text is not a token.
 */
export function accessToken(value: string, lifetimeMs: number, since: Moment, host: Host): AccessToken | undefined {
  try {
    // The payload is decoded as Latin-1: the claims that are read are ASCII, and all others remain valid JSON.
    const claims = JSON.parse(atob(value.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/'))) as AccessToken['claims']
    if (claims.sid && lifetimeMs > 0)
      return { value, claims, lifetimeMs, since, dueMs: lifetimeMs * (0.7 + 0.2 * host.random()) }
  } catch {
    // The text is not a token in a known form.
  }
  return
}
