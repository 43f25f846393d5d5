import type { PlainSessionError, SessionCode } from '../../types/session.js'
import { isPlain, plainOf } from '../plain-errors.js'

/** As in `types/session.d.ts`. */
const CODE =
  /^ERR_(((FETCH|STORAGE)_FAIL|(ISSUER|LOGIN|REDIRECT)_REFUS|SESSION_(CLOS|KICK)|PLATFORM_UNSUPPORT)ED|OPTIONS_INVALID|SESSION_(OFFLINE|SIGNED_OUT))$/

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

/** As `isTokenError`: by shape, of any copy or realm, and in its plain form. */
export function isSessionError<C extends SessionCode = SessionCode>(
  error: unknown,
  code?: C,
): error is Error & PlainSessionError & { readonly code: C } {
  return isPlain(error, 'SessionError', found => CODE.test(found) && (code ?? found) === found)
}

/** Names what this platform lacks, instead of a ReferenceError in the middle. */
export function mustHave(...names: string[]): void {
  for (const name of names)
    if (!(name in globalThis)) throw new SessionError('ERR_PLATFORM_UNSUPPORTED', `this platform has no ${name}`)
}
