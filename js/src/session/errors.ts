import type { SessionCode } from '../../types/session.js'

export class SessionError extends Error {
  override readonly name = 'SessionError'

  constructor(
    readonly code: SessionCode,
    message: string,
    readonly evidence: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
  }
}

/** By shape, not by class: an application may hold this package twice, once as ESM and once as CJS. */
export function isSessionError<C extends SessionCode = SessionCode>(
  error: unknown,
  code?: C,
): error is SessionError & { readonly code: C } {
  return error instanceof Error && error.name === 'SessionError' && (!code || (error as SessionError).code === code)
}
