import type { SessionState } from '../../types/session.js'
import { SessionError } from './errors.js'
import type { Later } from './issuer.js'

export const closed = () => new SessionError('ERR_SESSION_CLOSED', 'the session was closed')
export const wrongLogin = () => new SessionError('ERR_LOGIN_REFUSED', 'wrong username or password')

export const refusedBy = ({ status, error }: Pick<Later, 'status' | 'error'>) =>
  new SessionError('ERR_ISSUER_REFUSED', `the issuer answered ${error ?? status}`, { status, error })

/** A browser does not tell a page which of the two it is. */
export const unreachable = ({ status, retryAfterMs }: Omit<Later, 'outcome'>) =>
  new SessionError('ERR_SESSION_OFFLINE', 'the issuer is out of reach, or DOORLIST_ALLOWED_ORIGINS lacks this origin', {
    status,
    retryAfter: retryAfterMs / 1000,
  })

/** Why there is no access token in this state. */
export function noToken(state: SessionState): SessionError {
  if (state === 'kicked') return new SessionError('ERR_SESSION_KICKED', 'the issuer ended the session')
  if (state === 'signed-out') return new SessionError('ERR_SESSION_SIGNED_OUT', 'nobody is signed in')
  return unreachable({ retryAfterMs: 0 })
}
