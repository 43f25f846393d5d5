import { TokenError } from './errors.js'
import { fetchText, type Http, type PastCaches } from './http.js'
import { isObject, parsedUrl } from './option-rules.js'

/**
 * The addresses that an issuer publishes for verifiers. RFC 8414 defines `jwks_uri`; this project defines the other
 * two.
 */
export interface Endpoints {
  readonly keys: string
  readonly list: string
  /** Absent if the issuer has no stream. */
  readonly stream?: string
}

const MAX_METADATA_BYTES = 256 * 1024

export const WELL_KNOWN = '/.well-known/oauth-authorization-server'

/** RFC 8414 §3.1: the well-known path is inserted between the host and the path of the issuer's URL. */
export function metadataUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer)
  return `${origin}${WELL_KNOWN}${pathname.replace(/\/$/, '')}`
}

/**
 * Fetches the issuer's metadata. Throws `Unreachable` if there is no usable answer. Throws a TokenError if the answer
 * is not the metadata of this issuer.
 */
export async function discover(
  http: Http,
  issuer: string,
  signal: AbortSignal,
  cache: PastCaches | undefined,
): Promise<Endpoints> {
  const url = metadataUrl(issuer)
  const text = await fetchText(http, { url, accept: 'application/json', maxBytes: MAX_METADATA_BYTES, cache, signal })
  const metadata = parseObject(text, url)
  // RFC 8414 §3.3: another issuer's metadata MUST NOT be used.
  const { issuer: actual } = metadata
  if (actual !== issuer) {
    const named = JSON.stringify(actual)?.slice(0, 255)
    throw invalid(`${url} belongs to the issuer ${named}, not "${issuer}"; they must be exactly equal`, {
      expected: issuer,
      actual,
    })
  }
  const endpoint = (name: string): string | undefined => {
    const value = metadata[name]
    if (value === undefined) return undefined
    if (typeof value === 'string' && isAsSafe(value, issuer)) return value
    throw invalid(`\`${name}\` in ${url} must be a URL, and must use https if the issuer's URL does`, { name })
  }
  const required = (name: string): string => {
    const value = endpoint(name)
    if (value === undefined) throw invalid(`${url} has no \`${name}\``, { name })
    return value
  }
  const stream = endpoint('revocation_stream_uri')
  return {
    keys: required('jwks_uri'),
    list: required('revocation_list_uri'),
    ...(stream === undefined ? {} : { stream }),
  }
}

function isAsSafe(url: string, issuer: string): boolean {
  const { protocol } = parsedUrl(url) ?? {}
  return protocol === 'https:' || (protocol === 'http:' && new URL(issuer).protocol === 'http:')
}

function parseObject(text: string, url: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw invalid(`${url} is not JSON: is it the metadata of an issuer?`, {}, { cause })
  }
  if (!isObject(value)) throw invalid(`${url} is not a JSON object: is it the metadata of an issuer?`)
  return value
}

const invalid = (message: string, evidence?: Record<string, unknown>, options?: ErrorOptions) =>
  new TokenError('ERR_METADATA_INVALID', message, evidence, options)
