import type { PlainSessionError, SessionCode } from '../../types/session.js'
import { isPlain, plainOf } from '../plain-errors.js'

/** `types/session.d.ts` has the same codes. */
const CODES: readonly string[] = [
  'ERR_ISSUER_REFUSED',
  'ERR_LOGIN_REFUSED',
  'ERR_REDIRECT_REFUSED',
  'ERR_FETCH_FAILED',
  'ERR_STORAGE_FAILED',
  'ERR_PLATFORM_UNSUPPORTED',
  'ERR_OPTIONS_INVALID',
  'ERR_SESSION_OFFLINE',
  'ERR_SESSION_SIGNED_OUT',
  'ERR_SESSION_CLOSED',
  'ERR_SESSION_KICKED',
]

export class SessionError extends Error {
  override readonly name = 'SessionError'
  declare readonly code: SessionCode
  declare readonly evidence: Readonly<Record<string, unknown>>

  constructor(
    code: SessionCode,
    message: string,
    evidence: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    Object.assign(this, { code, evidence })
  }

  static from(error: unknown): SessionError {
    if (error instanceof SessionError) return error
    if (!isSessionError(error)) throw new SessionError('ERR_OPTIONS_INVALID', 'not a SessionError')
    return new SessionError(error.code, error.message, error.evidence, error)
  }

  toJSON(): PlainSessionError {
    return plainOf(this)
  }
}

/**
 * Compares the members of the error, like `isTokenError`. So the function also recognises the plain form of an error,
 * and an error of another copy or realm of this package.
 */
export function isSessionError<C extends SessionCode = SessionCode>(
  error: unknown,
  code?: C,
): error is Error & PlainSessionError & { readonly code: C } {
  return isPlain(error, 'SessionError', found => CODES.includes(found) && (code ?? found) === found)
}

/**
 * Throws an error that names a feature that the platform lacks. Without this error, the use of the feature would throw
 * a ReferenceError later.
 */
export function mustHave(...names: string[]): void {
  for (const name of names)
    if (!(name in globalThis)) throw new SessionError('ERR_PLATFORM_UNSUPPORTED', `this platform has no ${name}`)
}
