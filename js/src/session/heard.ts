// Decides what the messages of other tabs mean for this page. Nothing here has a side effect. All state is in the
// arguments. `host` is used only to read the time.
import type { Host } from '../host.js'
import { elapsed, isLive, type AccessToken, type Moment } from './access-token.js'
import type { Message } from './messages.js'

/**
 * Whether this page replaces its token with the token of another tab.
 *
 * @param last the last token of this page's session
 * @param ended the sessions that ended in this page; a late message must not bring them back
 * @param latest a time; tokens that were requested before this time are not used
 */
export const isNews = (
  heard: AccessToken,
  last: AccessToken | undefined,
  ended: ReadonlySet<string>,
  latest: Moment | undefined,
  host: Host,
): boolean =>
  isLive(heard, host) &&
  !ended.has(heard.claims.sid) &&
  heard.value !== last?.value &&
  // Compares ages, not `iat`: a session can begin in the same second as the previous session, or on a node whose clock
  // is behind.
  (!latest || elapsed(heard.since, host) <= elapsed(latest, host))

/** Whether this page already held the token at this wall-clock time. */
export const wasHeldAt = (wall: number, token: AccessToken, host: Host): boolean =>
  elapsed(token.since, host) >= host.now() - wall

/**
 * Whether this message ends the session of this page. Another tab sends the message when a session has ended.
 *
 * @param last the last token of this page's session
 * @param gone the session that ended on this page because its refresh token was missing. The message with the reason
 *   may arrive later.
 */
export const isEnd = (
  message: Extract<Message, { readonly type: 'ended' }>,
  last: AccessToken | undefined,
  gone: string | undefined,
  host: Host,
): boolean =>
  last
    ? message.sid
      ? message.sid === last.claims.sid
      : wasHeldAt(message.wall, last, host)
    : message.kicked && message.sid === gone
