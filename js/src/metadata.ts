import { TokenError } from './errors.js'
import { fetchText, type Http, type PastCaches } from './http.js'

/** Where an issuer publishes what a verifier needs (RFC 8414, and this project's own two). */
export interface Endpoints {
  readonly keys: string
  readonly list: string
  /** Absent where the issuer has no stream. */
  readonly stream?: string
}

const MAX_METADATA_BYTES = 256 * 1024

/** RFC 8414 §3.1: the well-known part goes between the host and the path of the issuer. */
export function metadataUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`
}

/** Asks for the issuer's metadata. Throws `Unreachable`, or a TokenError when what came is not this issuer's. */
export async function discover(
  http: Http,
  issuer: string,
  signal: AbortSignal,
  cache: PastCaches | undefined,
): Promise<Endpoints> {
  const url = metadataUrl(issuer)
  const text = await fetchText(http, { url, accept: 'application/json', maxBytes: MAX_METADATA_BYTES, cache, signal })
  const metadata = parseObject(text)
  if (metadata === undefined) throw invalid(`${url} is not a JSON object`)
  // RFC 8414 §3.3: another issuer's metadata MUST NOT be used.
  const { issuer: actual } = metadata
  if (actual !== issuer) {
    const named = JSON.stringify(actual)?.slice(0, 255)
    throw invalid(`${url} is of the issuer ${named}, not "${issuer}"; they are compared to the letter`, {
      expected: issuer,
      actual,
    })
  }
  const endpoint = (name: string): string | undefined => {
    const value = metadata[name]
    if (value === undefined) return undefined
    if (typeof value === 'string' && URL.canParse(value) && isAsSafe(value, issuer)) return value
    throw invalid(`\`${name}\` in ${url} must be a URL, and an https one when the issuer's is`, { name })
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
  const { protocol } = new URL(url)
  return protocol === 'https:' || (protocol === 'http:' && new URL(issuer).protocol === 'http:')
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const invalid = (message: string, evidence?: Record<string, unknown>) =>
  new TokenError('ERR_METADATA_INVALID', message, evidence)
