import type { Host } from '../host.js'
import { accessToken, moment, type AccessToken, type Moment } from './access-token.js'
import type { Delivery } from './delivery.js'
import type { Issuer, Later, Tokens } from './issuer.js'

/** What came of a refresh. */
export type Exchanged =
  | { readonly outcome: 'granted'; readonly token: AccessToken }
  /** The issuer ended the session. */
  | { readonly outcome: 'over' }
  /** Another tab signed out. */
  | { readonly outcome: 'gone' }
  | Later
  /** It is not asked for any more: another tab was faster, or somebody signed out. */
  | undefined

/**
 * Re-reads, refreshes, writes: what runs under the lock. Between any two steps another tab may sign out, or without a lock
 * refresh as well, so each asks what went on meanwhile; and so does who gets the answer.
 */
export async function exchange(
  parts: { readonly issuer: Issuer; readonly delivery: Delivery },
  host: Host,
  isCurrent: () => boolean,
  isWanted: () => boolean,
  tries = 2,
): Promise<Exchanged> {
  const { issuer, delivery } = parts
  if (!isWanted()) return
  const kept = await delivery.read()
  if (kept === undefined) return { outcome: 'gone' }
  const since = moment(host)
  const answer = await issuer.refresh(kept)
  switch (answer.outcome) {
    case 'granted': {
      const token = tokenOf(answer.tokens, since, host)
      if (token === undefined) return { outcome: 'later', retryAfterMs: 0, status: 200, error: 'without a token' }
      const { refresh_token } = answer.tokens
      const found = await delivery.read()
      if (!isCurrent()) return
      // Without a lock, another tab may have been faster; its token is as good. So is the old one where none can be written.
      if (found === kept && refresh_token) await delivery.write(refresh_token).catch(() => {})
      return found === undefined ? { outcome: 'gone' } : { outcome: 'granted', token }
    }
    case 'over':
      // Another tab's may be good where this one came too late (field: supabase/auth-js#213).
      if ((await delivery.read()) !== kept && tries > 1) return exchange(parts, host, isCurrent, isWanted, tries - 1)
      if (!isWanted()) return
      await delivery.remove()
      return answer
    case 'later':
      return answer
  }
}

export const tokenOf = ({ access_token, expires_in }: Tokens, since: Moment, host: Host): AccessToken | undefined =>
  accessToken(access_token, expires_in * 1000, since, host)
