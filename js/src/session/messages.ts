import type { Host } from '../host.js'
import { accessToken, elapsed, type AccessToken } from './access-token.js'

/** The messages between the tabs of one browser. */
export type Message =
  | { readonly type: 'hello' }
  /** Times are from the wall clock, which all tabs share. */
  | { readonly type: 'token'; readonly value: string; readonly lifetimeMs: number; readonly wall: number }
  /**
   * Without a `sid`, the message means the session that existed at that time, whose `sid` the sending tab did not know
   * yet. It never means a session that was opened later.
   */
  | { readonly type: 'ended'; readonly sid: string | undefined; readonly wall: number; readonly kicked: boolean }
  /** Revokes the tokens issued before this time. */
  | { readonly type: 'revoked'; readonly sid: string; readonly wall: number }

type TokenMessage = Extract<Message, { readonly type: 'token' }>

export const written = ({ value, lifetimeMs, since }: AccessToken, host: Host): TokenMessage => ({
  type: 'token',
  value,
  lifetimeMs,
  wall: host.now() - elapsed(since, host),
})

/** Computes the age by the wall clock, because a message may be delayed: a frozen tab reads its messages late. */
export const read = ({ value, lifetimeMs, wall }: TokenMessage, host: Host): AccessToken | undefined =>
  accessToken(value, lifetimeMs, { wall, monotonic: host.monotonic() - Math.max(0, host.now() - wall) }, host)
