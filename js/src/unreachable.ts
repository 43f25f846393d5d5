import { crowdingHint } from './crowded.js'
import { TokenError } from './errors.js'
import { ask, isMistake } from './mistakes.js'

/** The reason why there is no usable answer. `lasting` is `true` if waiting would not end the failure. */
type Evidence = { url?: string; reason?: string; status?: number; lasting?: boolean }

/**
 * The error for a request without a usable answer. Reasons are: no connection, a status other than 200, too much data,
 * or a timeout.
 */
export class Unreachable extends TokenError {
  constructor(message: string, evidence: Evidence = {}, options?: ErrorOptions) {
    super('ERR_ISSUER_UNREACHABLE', message, evidence, options)
  }
}

/** The reason of an abort after the time limit. */
export class OutOfTime extends Error {
  constructor(readonly ms: number) {
    super(`no answer in ${ms} ms`)
  }
}

interface Cause {
  readonly reason: string
  /**
   * Matches the name, code or message that an error with this reason has in Node, Deno or Bun. Browsers do not report
   * the cause of an error.
   */
  readonly says: RegExp
  readonly means: string
  readonly lasting?: true
}

const CAUSES: readonly Cause[] = [
  {
    reason: 'no_tls',
    says: /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_TOO_LONG|InvalidContentType|wrong version number/i,
    means: 'the server there speaks http, not https; write http:// in `issuer`, or enable TLS on the server',
    lasting: true,
  },
  {
    reason: 'not_http',
    says: /HPE_|Expected HTTP|invalid HTTP/i,
    means: 'the server there does not answer in HTTP; if it uses TLS, write https:// in `issuer`',
    lasting: true,
  },
  {
    reason: 'certificate',
    says: /CERT_|_CERT\b|ALTNAME|UNABLE_TO_|HOSTNAME_MISMATCH|invalid peer certificate|certificate (has|is|verif)/,
    means:
      'its certificate is not trusted here; if your own authority issued it, set NODE_EXTRA_CA_CERTS to the file of that authority (Node); otherwise renew the certificate, or use the name that it is for',
    lasting: true,
  },
  {
    reason: 'port',
    says: /bad port|UNSAFE_PORT/i,
    means: '`fetch` refuses this port; give the issuer another port',
    lasting: true,
  },
  {
    reason: 'name',
    says: /ENOTFOUND|EAI_|getaddrinfo|lookup address|name or service not known/i,
    means: 'its name does not resolve; check the spelling of `issuer`, and DNS',
  },
  {
    reason: 'closed',
    says: /other side closed|ECONNRESET|socket hang up|ConnectionClosed|connection (was )?closed/i,
    means: 'the connection was closed without an answer',
  },
  {
    reason: 'refused',
    says: /ECONNREFUSED|ConnectionRefused|connection refused/i,
    means: 'the connection was refused; is the issuer running, at this port?',
  },
]

/**
 * Converts the error of a failed request into the error to throw. The result reports an outage, or a mistake of the
 * program. The original error is the `cause` of the result.
 */
export function failure(url: string, cause: unknown): TokenError {
  if (cause instanceof TokenError) return cause
  if (cause instanceof OutOfTime)
    return new Unreachable(
      `${url} did not answer in ${cause.ms} ms${crowdingHint(url)}`,
      { url, reason: 'timeout' },
      { cause },
    )
  if (isMistake(cause)) return fetchFailed(url, inWords(cause), cause)
  const text = chainOf(cause)
    .map(({ name, code, message }) => `${name} ${code} ${message}`)
    .join('\n')
  const known = CAUSES.find(({ says }) => says.test(text))
  if (known === undefined)
    return new Unreachable(`${url} could not be read: ${inWords(cause)}`, { url, reason: 'connection' }, { cause })
  const { reason, means, lasting } = known
  const evidence = { url, reason, ...(lasting && { lasting }) }
  return new Unreachable(`${url} could not be reached: ${means} (${inWords(cause)})`, evidence, { cause })
}

/** Returns the error for a failure of `fetch` itself. This failure does not show whether the issuer can be reached. */
export const fetchFailed = (url: string, why: string, cause?: unknown): TokenError =>
  new TokenError(
    'ERR_FETCH_FAILED',
    `\`fetch\` failed because of a mistake in the program, not in the network: ${why}`,
    { url },
    { cause },
  )

/**
 * Returns a better error if the server closed a plain HTTP connection without an answer. Two kinds of servers do this:
 * a server that uses TLS, and a server that is restarting. To find out which kind this server is, this function sends
 * one request over TLS. If the server answers or shows a certificate, the server uses TLS, and waiting does not help.
 */
export async function hungUp(
  found: TokenError,
  fetch: typeof globalThis.fetch,
  url: string,
  signal: AbortSignal,
): Promise<TokenError> {
  if (found.evidence['reason'] !== 'closed' || !url.startsWith('http:')) return found
  const inTls = url.replace('http:', 'https:')
  try {
    const response = await ask(fetch, inTls, { redirect: 'manual', signal })
    void response.body?.cancel().catch(() => {})
  } catch (error) {
    if (failure(inTls, error).evidence['reason'] !== 'certificate') return found
  }
  const message = `${url} could not be reached: the server there uses TLS; write https:// in \`issuer\``
  return new Unreachable(message, { url, reason: 'not_http', lasting: true }, { cause: found })
}

/** Returns the error for a status other than 200. If a browser hides a redirect, the status is 0. */
export function statusFailure(url: string, { status, type, headers }: Response): Unreachable {
  const isRedirect = type === 'opaqueredirect' || (status > 300 && status < 309 && status !== 304)
  if (isRedirect) {
    const to = headers.get('location')
    const fix = 'redirects are not followed; set `issuer` to the address where this one ends'
    const message = `${url} answered with a redirect${to === null ? '' : ` to ${to}`}: ${fix}`
    return new Unreachable(message, { url, reason: 'redirect', status, lasting: true })
  }
  const lasting = status >= 400 && status < 500 && ![408, 425, 429].includes(status)
  const message = `${url} answered with status ${status}${lasting ? `: ${fixOf(status)}` : ''}`
  return new Unreachable(message, { url, reason: 'status', status, ...(lasting && { lasting }) })
}

const fixOf = (status: number): string =>
  status === 401 || status === 403
    ? 'a verifier sends no credentials; metadata, keys and list must be readable without any'
    : 'there is no issuer at this address; check host, port and path of `issuer`'

/** Returns the error and all its causes, including the errors of an AggregateError. */
function chainOf(error: unknown, depth = 0): { name?: string; code?: unknown; message: string }[] {
  // The code does not use `instanceof`, because in some test runners Node's own errors belong to another realm.
  if (typeof error !== 'object' || error === null || depth > 4) return []
  const { cause, errors = [] } = error as Error & { errors?: unknown[] }
  return [error as Error, ...[cause, ...errors].flatMap(next => chainOf(next, depth + 1))]
}

/**
 * Describes an error in words. For Node's "fetch failed", the actual failure is in `cause`. An AggregateError has no
 * message, so its code or name is used.
 */
function inWords(error: unknown): string {
  const chain = chainOf(error)
  if (chain.length === 0) return String(error)
  const said = chain.map(({ message, code, name }) => message || String(code ?? name))
  return said[1] === undefined ? said[0]! : `${said[0]} (${said[1]})`
}
