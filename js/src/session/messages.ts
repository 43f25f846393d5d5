import type { Host } from '../host.js'
import { accessToken, elapsed, type AccessToken } from './access-token.js'

/** What tabs of one browser tell each other. */
export type Message =
  | { readonly type: 'hello' }
  /** Ages are by the wall clock, which all tabs share. */
  | { readonly type: 'token'; readonly value: string; readonly lifetimeMs: number; readonly wall: number }
  /** Without a `sid`, the session there was then, of which the tab had not heard yet: none that was opened since. */
  | { readonly type: 'ended'; readonly sid: string | undefined; readonly wall: number; readonly kicked: boolean }
  /** Tokens of before. */
  | { readonly type: 'revoked'; readonly sid: string; readonly wall: number }

type TokenMessage = Extract<Message, { readonly type: 'token' }>

export const written = ({ value, lifetimeMs, since }: AccessToken, host: Host): TokenMessage => ({
  type: 'token',
  value,
  lifetimeMs,
  wall: host.now() - elapsed(since, host),
})

/** However long it was on its way: a tab that was frozen reads its messages late. */
export const read = ({ value, lifetimeMs, wall }: TokenMessage, host: Host): AccessToken | undefined =>
  accessToken(value, lifetimeMs, { wall, monotonic: host.monotonic() - Math.max(0, host.now() - wall) }, host)
