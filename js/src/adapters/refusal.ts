import type { PlainTokenError } from '../../types/index.js'

/** The answer to a refused request (RFC 6750 §3), independent of any framework. */
export interface Refusal {
  readonly status: 401 | 403 | 503
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * The number of seconds after which a client should try again. While a connected verifier has no list, the verifier
 * pauses for at most this number of seconds between two requests.
 */
export const RETRY_AFTER_SECS = 5

/** The issuer uses the same realm. */
const REALM = 'Bearer realm="doorlist"'

/** The answer to a request without a token. Its challenge has no `error`, as in RFC 6750 §3.1. */
export const tokenMissing = (): Refusal =>
  refusal(401, { 'www-authenticate': REALM }, { error: 'invalid_token', error_description: 'a bearer token is needed' })

export function tokenRefused({ code, message }: PlainTokenError): Refusal {
  const description = quotable(message)
  return refusal(
    401,
    { 'www-authenticate': `${REALM}, error="invalid_token", error_description="${description}"` },
    { error: 'invalid_token', error_description: description, code },
  )
}

export const scopeInsufficient = (scope: string): Refusal =>
  refusal(
    403,
    { 'www-authenticate': `${REALM}, error="insufficient_scope", scope="${scope}"` },
    { error: 'insufficient_scope', error_description: `the scope ${scope} is needed` },
  )

/**
 * The client learns only the `code` of the error, for example `ERR_LIST_MISSING`. The message of the error is not sent.
 */
export const unavailable = ({ code }: PlainTokenError): Refusal =>
  refusal(
    503,
    { 'retry-after': String(RETRY_AFTER_SECS) },
    {
      error: 'temporarily_unavailable',
      error_description: 'tokens cannot be verified now',
      code,
    },
  )

function refusal(status: Refusal['status'], headers: Record<string, string>, body: Record<string, string>): Refusal {
  const always = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return { status, headers: { ...always, ...headers }, body: JSON.stringify(body) }
}

/** RFC 6750 §3: an `error_description` contains no quotes, backslashes or non-ASCII characters. */
const quotable = (text: string) => text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, ' ')
