import type { Host } from '../host.js'

/** An access token, and how long it has been good for. */
export interface AccessToken {
  readonly value: string
  readonly claims: { readonly sid: string; readonly iat: number; readonly [claim: string]: unknown }
  /** `expires_in`, milliseconds from `since`. */
  readonly lifetimeMs: number
  readonly since: Moment
  /** Milliseconds from `since` at which another one is asked for: from 70 to 90 % of its life, by chance (field: mozilla/fxa-oauth-server#370). */
  readonly dueMs: number
}

/** Both clocks: the monotonic one may stand still while a laptop sleeps, and the wall clock may be set. */
export interface Moment {
  readonly wall: number
  readonly monotonic: number
}

export const moment = (host: Host): Moment => ({ wall: host.now(), monotonic: host.monotonic() })

/** Milliseconds since then by the clock that saw more of them: one that is set ahead costs a refresh, none costs the session. */
export const elapsed = (since: Moment, host: Host): number =>
  Math.max(host.now() - since.wall, host.monotonic() - since.monotonic)

/** Not to the end of its life: requests take a while. */
export const isLive = ({ since, lifetimeMs }: AccessToken, host: Host): boolean =>
  elapsed(since, host) < 0.99 * lifetimeMs

/** Milliseconds in which two requests of one second, for which the issuer makes one token, may both be answered. */
const SAME_MS = 10_000

/**
 * Whether an answer of `/token` is of now. A service worker or a proxy may repeat an old answer: its token is the last one again, or has
 * expired by the issuer's time, which is known from the last one. The wall clock is not asked, because it may be set.
 */
export const isNew = ({ value, claims, lifetimeMs }: AccessToken, last: AccessToken | undefined, host: Host): boolean =>
  !last ||
  host.monotonic() - last.since.monotonic - (claims.iat - last.claims.iat) * 1000 <
    (value === last.value ? SAME_MS : lifetimeMs)

/** The issuer's time in milliseconds: its own stamp and what went by since. */
export const issuerTime = ({ claims, since }: AccessToken, host: Host): number =>
  claims.iat * 1000 + elapsed(since, host)

/** Reads a token that came from the issuer itself, over TLS: nothing is verified here. `undefined` for what is none. */
export function accessToken(value: string, lifetimeMs: number, since: Moment, host: Host): AccessToken | undefined {
  try {
    // As Latin-1: what is read of it is ASCII, and the rest stays well-formed JSON.
    const claims = JSON.parse(atob(value.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/'))) as AccessToken['claims']
    if (claims.sid && lifetimeMs > 0)
      return { value, claims, lifetimeMs, since, dueMs: lifetimeMs * (0.7 + 0.2 * host.random()) }
  } catch {
    // None that is known here.
  }
  return
}
