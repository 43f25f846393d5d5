import { TokenError, isTokenError } from './errors.js'
import { WELL_KNOWN } from './metadata.js'
import type { Code } from '../types/index.js'

/** Errors that another try would bring again. */
const LASTING: readonly Code[] = [
  'ERR_FETCH_FAILED',
  'ERR_METADATA_INVALID',
  'ERR_OPTIONS_INVALID',
  'ERR_PLATFORM_UNSUPPORTED',
]

/**
 * Whether waiting cannot cure the error. If it cannot, the start fails at once. An error without a code is a bug, here
 * or in a `fetch`. Before that, keys and list are requested once more, because cached metadata may have pointed to a
 * wrong address.
 */
export function isLasting(error: unknown, previous: unknown): boolean {
  if (!isTokenError(error)) return true
  const { code, evidence, message } = error
  if (LASTING.includes(code)) return true
  if (evidence['lasting'] === true && String(evidence['url']).includes(WELL_KNOWN)) return true
  const stays =
    evidence['lasting'] === true ||
    code === 'ERR_JWKS_INVALID' ||
    (code === 'ERR_LIST_INVALID' && evidence['reason'] !== 'future')
  return stays && isTokenError(previous) && previous.message === message
}

/**
 * The error that a start rejects with: "no list" if the issuer was not reached within this time; any other error
 * unchanged.
 */
export function startError(error: unknown, withinMs?: number): unknown {
  if (error !== undefined && !isTokenError(error, 'ERR_ISSUER_UNREACHABLE')) return error
  const time = withinMs === undefined ? '' : ` in ${withinMs} ms`
  const why = error === undefined ? '' : `: ${error.message}`
  const evidence = { ...error?.evidence, ...(withinMs !== undefined && { withinMs }) }
  return new TokenError('ERR_LIST_MISSING', `no revocation list${time}${why}`, evidence, { cause: error })
}
