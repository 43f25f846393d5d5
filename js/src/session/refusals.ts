import type { SessionCode, SessionState } from '../../types/session.js'
import { SessionError } from './errors.js'
import { isMistake } from '../mistakes.js'
import type { Later } from './issuer.js'

type Said = { readonly status?: number | undefined; readonly error?: unknown }
const answered = ({ status, error }: Said) => `the issuer answered ${error ?? status}`
export const refusedBy = ({ status, error }: Said) =>
  new SessionError('ERR_ISSUER_REFUSED', answered({ status, error }), { status, error })

/**
 * Returns the error for a failed request to the issuer. A mistake of the program becomes `ERR_FETCH_FAILED`. Any other
 * failure counts as an outage.
 */
export function unreachable(later: Omit<Later, 'type'>): SessionError {
  const { status, retryAfterMs = 0, cause } = later
  if (cause instanceof SessionError) return cause
  if (isMistake(cause)) return failed('ERR_FETCH_FAILED', 'a mistake of the program', cause)
  // If a request gets no answer, the browser hides the reason from the page. So the text names three possible reasons.
  // The last reason is a limit of browsers: while six connections to a host are in use, the next request to this host
  // waits without an error.
  const text = status
    ? answered(later)
    : 'issuer down, origin not in DOORLIST_ALLOWED_ORIGINS, or six HTTP/1.1 connections in use'
  return failed('ERR_SESSION_OFFLINE', text, cause, { status, retryAfter: retryAfterMs / 1000 })
}

/** Returns the error for a storage that threw an error or did not answer in time. */
export const storageFailed = (cause: unknown) =>
  cause instanceof SessionError ? cause : failed('ERR_STORAGE_FAILED', '`storage` failed', cause)

const failed = (code: SessionCode, text: string, cause: unknown, evidence?: Record<string, unknown>) =>
  new SessionError(code, cause ? `${text}: ${(cause as Error).message ?? cause}` : text, evidence, { cause })

/**
 * Returns the error that explains why there is no access token in this state. In the state `offline`, the error
 * describes the last failure.
 */
export function noToken(state: SessionState, last: Omit<Later, 'type'> = {}): SessionError {
  if (state === 'kicked') return new SessionError('ERR_SESSION_KICKED', 'the issuer ended the session')
  if (state === 'signed-out') return new SessionError('ERR_SESSION_SIGNED_OUT', 'not signed in')
  return unreachable(last)
}
