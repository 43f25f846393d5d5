import { TokenError, isTokenError } from './errors.js'
import { WELL_KNOWN } from './metadata.js'
import type { Code } from '../types/index.js'

/** If there is a saved list, a starting verifier waits at most this many milliseconds for the issuer. */
export const SILENCE_MS = 2_000

/** The codes of errors that the next try would repeat. */
const LASTING: readonly Code[] = [
  'ERR_FETCH_FAILED',
  'ERR_METADATA_INVALID',
  'ERR_OPTIONS_INVALID',
  'ERR_PLATFORM_UNSUPPORTED',
]

/**
 * Whether the error will remain if the verifier waits and tries again. If so, the start fails at once. An error without
 * a code is a bug, of this package or of a `fetch`. An error of the keys or the list counts only if the next try
 * repeats the error: the metadata of the first try can come from a cache, and can name a wrong address.
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
 * Returns the error to throw when a verifier gets no first list. If the issuer was not reached, this is
 * `ERR_LIST_MISSING`. Any other error is returned unchanged.
 */
export function startError(error: unknown, withinMs?: number): unknown {
  if (error !== undefined && !isTokenError(error, 'ERR_ISSUER_UNREACHABLE')) return error
  const time = withinMs === undefined ? '' : ` in ${withinMs} ms`
  const why = error === undefined ? '' : `: ${error.message}`
  const evidence = { ...error?.evidence, ...(withinMs !== undefined && { withinMs }) }
  return new TokenError('ERR_LIST_MISSING', `no revocation list${time}${why}`, evidence, { cause: error })
}
