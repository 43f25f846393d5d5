import type { SessionState } from '../../types/session.js'
import { SessionError } from './errors.js'
import type { Later } from './issuer.js'

export const closed = () => new SessionError('ERR_SESSION_CLOSED', 'the session was closed')
export const wrongLogin = () => new SessionError('ERR_LOGIN_REFUSED', 'wrong username or password')

export const refusedBy = ({ status, error }: Pick<Later, 'status' | 'error'>) =>
  new SessionError('ERR_ISSUER_REFUSED', `the issuer answered ${status}`, { status, error })

export const unreachable = ({ status, retryAfterMs }: Later) =>
  new SessionError('ERR_SESSION_OFFLINE', OFFLINE, { status, retryAfter: retryAfterMs / 1000 })

const OFFLINE = 'the issuer cannot be reached'

/** Why there is no access token in this state. */
export function noToken(state: SessionState): SessionError {
  if (state === 'kicked') return new SessionError('ERR_SESSION_KICKED', 'the issuer ended the session')
  if (state === 'signed-out') return new SessionError('ERR_SESSION_SIGNED_OUT', 'nobody is signed in')
  return new SessionError('ERR_SESSION_OFFLINE', OFFLINE)
}
