import type * as Types from '../types/companions.js'
import type { AnyVerifier } from '../types/guard.js'
import { checkVerifier, refreshed } from './adapters/guard.js'
import { RETRY_AFTER_SECS } from './adapters/refusal.js'
import { TokenError, isTokenError, isTokensFault } from './errors.js'

export const isRevoked: typeof Types.isRevoked = verifier => {
  checkVerifier(verifier)
  // The header of the token is ignored, because the header names a key of the application's own back end, and not a key
  // of the issuer.
  return async (_, token) => !(await isGood(verifier, token?.payload))
}

export const trusted: typeof Types.trusted = verifier => {
  checkVerifier(verifier)
  return (_, decoded) => {
    if ('gid' in decoded) return isGood(verifier, decoded)
    const { header, payload } = decoded as { header?: object; payload?: object }
    return isGood(verifier, payload, header)
  }
}

async function isGood(verifier: AnyVerifier, payload: unknown, protectedHeader: object = {}): Promise<boolean> {
  const failure = await refreshed(verifier)
  try {
    verifier.assertNotRevoked(payload as object, { protectedHeader })
    return true
  } catch (error) {
    if (!failure && isTokensFault(error)) return false
    return unavailable(isTokenError(error) ? (failure ?? error) : error)
  }
}

/**
 * Throws an error that makes the application answer with status 503. Express and Fastify read `status`, `statusCode`
 * and `headers` from an error.
 */
function unavailable(cause: unknown): never {
  if (!isTokenError(cause)) throw cause
  const error = new TokenError(
    cause.code,
    'the revocation list is not available, so the token cannot be checked',
    {},
    { cause },
  )
  throw Object.assign(error, {
    status: 503,
    statusCode: 503,
    headers: { 'retry-after': String(RETRY_AFTER_SECS) },
  })
}
