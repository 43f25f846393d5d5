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
  | { readonly outcome: 'discarded' }

const DISCARDED = { outcome: 'discarded' } as const

/** What went on meanwhile. */
export interface Meanwhile {
  /** Nobody signed in or out. */
  isCurrent(): boolean
  /** Nor did another tab get a token. */
  isWanted(): boolean
}

/**
 * Re-reads, refreshes, writes: what runs under the lock. Between any two steps another tab may sign out, or without a lock
 * refresh as well, so each asks what went on meanwhile.
 */
export async function exchange(
  issuer: Issuer,
  delivery: Delivery,
  host: Host,
  meanwhile: Meanwhile,
  tries = 2,
): Promise<Exchanged> {
  const unless = (exchanged: Exchanged) => (meanwhile.isCurrent() ? exchanged : DISCARDED)
  if (!meanwhile.isWanted()) return DISCARDED
  const kept = await delivery.read()
  if (kept === undefined) return unless({ outcome: 'gone' })
  const since = moment(host)
  const answer = await issuer.refresh(kept)
  if (!meanwhile.isCurrent()) return DISCARDED
  switch (answer.outcome) {
    case 'granted': {
      const token = tokenOf(answer.tokens, since, host)
      if (token === undefined) return { outcome: 'later', status: 200, retryAfterMs: 0 }
      const { refresh_token } = answer.tokens
      const found = await delivery.read()
      // Without a lock, another tab may have been faster; its token is as good.
      if (found === kept && refresh_token !== undefined) await delivery.write(refresh_token)
      return unless(found === undefined ? { outcome: 'gone' } : { outcome: 'granted', token })
    }
    case 'over':
      // Another tab's may be good where this one came too late (field: supabase/auth-js#213).
      if ((await delivery.read()) !== kept && tries > 1) return exchange(issuer, delivery, host, meanwhile, tries - 1)
      if (!meanwhile.isWanted()) return DISCARDED
      await delivery.remove()
      return unless({ outcome: 'over' })
    case 'later':
      return answer
  }
}

export const tokenOf = ({ access_token, expires_in }: Tokens, since: Moment, host: Host): AccessToken | undefined =>
  accessToken(access_token, expires_in * 1000, since, host)
