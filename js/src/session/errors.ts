import type { SessionCode } from '../../types/session.js'

export class SessionError extends Error {
  override readonly name = 'SessionError'
  declare readonly code: SessionCode
  declare readonly evidence: Readonly<Record<string, unknown>>

  constructor(code: SessionCode, message: string, evidence: Readonly<Record<string, unknown>> = {}) {
    super(message)
    Object.assign(this, { code, evidence })
  }
}

/** By shape, not by class: an application may hold this package twice, once as ESM and once as CJS. */
export function isSessionError<C extends SessionCode = SessionCode>(
  error: unknown,
  code?: C,
): error is SessionError & { readonly code: C } {
  const { name, code: its } = Object(error)
  return name === 'SessionError' && (!code || its === code)
}
