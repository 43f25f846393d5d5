import type { Host } from '../host.js'
import { accessToken, isNew, moment, type AccessToken, type Moment } from './access-token.js'
import type { Delivery } from './delivery.js'
import type { Issuer, Later, Tokens } from './issuer.js'

/** The result of a refresh. */
export type Exchanged =
  | { readonly type: 'granted'; readonly token: AccessToken }
  /** The issuer ended the session. */
  | { readonly type: 'over' }
  /** No refresh token is stored any more, because another tab signed out. */
  | { readonly type: 'gone' }
  | Later
  /** The result is no longer needed: another tab was faster, or the user signed out. */
  | undefined

/**
 * Reads the refresh token, refreshes, and writes the new refresh token. The caller holds the lock, if there is a lock.
 * Between two steps another tab can sign out. Without a lock, another tab can also refresh. Therefore this function
 * checks for both events after each step, and the caller checks again.
 */
export async function exchange(
  { issuer, delivery }: { readonly issuer: Issuer; readonly delivery: Delivery },
  host: Host,
  isCurrent: () => boolean,
  isWanted: () => boolean,
  last: () => AccessToken | undefined,
): Promise<Exchanged> {
  for (let isFirst = true; isWanted(); isFirst = false) {
    const kept = await delivery.read()
    if (kept === undefined) return { type: 'gone' }
    const since = moment(host)
    const answer = await issuer.refresh(kept)
    if (answer.type === 'later') return answer
    const found = await delivery.read()
    if (answer.type === 'granted') {
      const token = tokenOf(answer.tokens, since, host)
      // If the answer is old, its refresh token is old too. So the access token is checked before the refresh token is
      // stored.
      if (!token || !isNew(token, last(), host))
        return { type: 'later', status: 200, error: token ? 'from a cache' : 'without a token' }
      const { refresh_token } = answer.tokens
      if (!isCurrent()) return
      // Without a lock, another tab can already have written a new refresh token. In this case this tab keeps the token
      // of the other tab, because that token is valid too. If writing fails, the old refresh token is still valid.
      if (found === kept && refresh_token) await delivery.write(refresh_token).catch(() => {})
      return found === undefined ? { type: 'gone' } : { type: 'granted', token }
    }
    // The issuer refused the refresh token. If another tab has stored another token meanwhile (seen in the field:
    // supabase/auth-js#213), this tab tries once more, with the token of the other tab.
    if (found === kept || !isFirst) {
      if (!isWanted()) return
      await delivery.remove()
      return answer
    }
  }
  return
}

export const tokenOf = ({ access_token, expires_in }: Tokens, since: Moment, host: Host): AccessToken | undefined =>
  accessToken(access_token, expires_in * 1000, since, host)
