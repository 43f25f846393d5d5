import type { Host } from '../host.js'
import { accessToken, elapsed, type AccessToken } from './access-token.js'

/** The messages between the tabs of one browser. */
export type Message =
  | { readonly type: 'hello' }
  /** The times in all messages are from the wall clock, because all tabs share this clock. */
  | { readonly type: 'token'; readonly value: string; readonly lifetimeMs: number; readonly wall: number }
  /**
   * Tells that a session ended. If the sending tab did not know the `sid` yet, `sid` is absent. In that case the
   * message concerns the session that existed at the time `wall`. The message does not concern a session that was
   * opened later.
   */
  | { readonly type: 'ended'; readonly sid: string | undefined; readonly wall: number; readonly kicked: boolean }
  /** Tells that the tokens issued before `wall` are revoked. */
  | { readonly type: 'revoked'; readonly sid: string; readonly wall: number }

type TokenMessage = Extract<Message, { readonly type: 'token' }>

export const written = ({ value, lifetimeMs, since }: AccessToken, host: Host): TokenMessage => ({
  type: 'token',
  value,
  lifetimeMs,
  wall: host.now() - elapsed(since, host),
})

/**
 * Computes the age of the token from the wall clock. The time of arrival is not used, because a frozen tab reads its
 * messages late.
 */
export const read = ({ value, lifetimeMs, wall }: TokenMessage, host: Host): AccessToken | undefined =>
  accessToken(value, lifetimeMs, { wall, monotonic: host.monotonic() - Math.max(0, host.now() - wall) }, host)
