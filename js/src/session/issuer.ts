import type { Credentials } from '../../types/session.js'
import { inTime, type Host } from '../host.js'
import { ask } from '../mistakes.js'
import type { Settings } from './options.js'

/** The result of `/login`, `/token` or `/revoke`. */
export type Answer =
  | { readonly type: 'granted'; readonly tokens: Tokens }
  /** The issuer answered `invalid_grant`: the session has ended, or the password is wrong. A retry would not help. */
  | { readonly type: 'over' }
  | Later

/**
 * The result does not show whether the session continues. Possible reasons: no connection, status 429 or 5xx, the page
 * of a captive portal, or a faulty request.
 */
export interface Later {
  readonly type: 'later'
  /** Absent if there was no answer. */
  readonly status?: number
  readonly error?: unknown
  /** Absent if the issuer did not state it. */
  readonly retryAfterMs?: number
  /** The error that was thrown instead of an answer. */
  readonly cause?: unknown
}

/** RFC 6749 §5.1. */
export interface Tokens {
  readonly access_token: string
  readonly expires_in: number
  readonly refresh_token?: string
}

/**
 * The three requests that a session sends to its issuer. The promises never reject. If the refresh token is in the
 * cookie, the argument `token` is an empty text.
 */
export interface Issuer {
  login(credentials: Credentials): Promise<Answer>
  refresh(token: string): Promise<Answer>
  revoke(token: string): Promise<Answer>
}

/** Milliseconds within which the whole answer must arrive. */
const TIMEOUT_MS = 10_000
/** A longer `Retry-After` is shortened to this many milliseconds (one hour). */
const LONGEST_RETRY_MS = 3_600_000

export function issuerOf({ issuer, clientId, storage, fetch }: Settings, host: Host): Issuer {
  const usesCookie = storage === 'cookie'

  /**
   * The body is a text, and its content type is a header. A `fetch` of another realm (jsdom) does not accept body
   * objects of this realm.
   */
  async function post(path: string, type: string, body: string): Promise<Answer> {
    const abort = new AbortController()
    const asked = async () => {
      const response = await ask(fetch, issuer + path, {
        method: 'POST',
        headers: { 'content-type': 'application/' + type },
        body,
        credentials: usesCookie ? 'include' : 'omit',
        redirect: 'error',
        signal: abort.signal,
      })
      return judge(response.status, await response.text(), response.headers.get('retry-after'))
    }
    try {
      return await inTime(asked(), TIMEOUT_MS, host)
    } catch (cause) {
      abort.abort()
      return { type: 'later', cause }
    }
  }

  const form = (path: string, fields: string, token: string) =>
    post(
      path,
      'x-www-form-urlencoded',
      fields + encodeURIComponent(token) + (clientId ? '&client_id=' + encodeURIComponent(clientId) : ''),
    )

  return {
    login: ({ username, password, device }) =>
      post(
        '/login',
        'json',
        JSON.stringify({
          username,
          password,
          device,
          client_id: clientId,
          token_delivery: usesCookie ? storage : undefined,
        }),
      ),
    refresh: token => form('/token', 'grant_type=refresh_token&refresh_token=', token),
    revoke: token => form('/revoke', 'token=', token),
  }
}

/**
 * Decides from an answer whether the session continues. The session ends only if the answer has status 400 and the
 * error `invalid_grant`.
 */
export function judge(status: number, text: string, retryAfter: string | null): Answer {
  let body: Record<string, unknown> | undefined
  try {
    body = JSON.parse(text)
  } catch {
    // The answer is not from the issuer, but from a captive portal, for example.
  }
  const error = body?.['error']
  if (status === 400 && error === 'invalid_grant') return { type: 'over' }
  if (status === 200 && body) return { type: 'granted', tokens: body as unknown as Tokens }
  // `Retry-After` in seconds. A date is ignored, because the issuer never sends a date.
  const retryAfterMs = Math.min(Number(retryAfter) * 1000 || 0, LONGEST_RETRY_MS)
  return { type: 'later', status, error, retryAfterMs }
}

/** Whether the issuer would refuse the same request again. */
export const isRefusal = ({ status = 0 }: Later): boolean => status >= 400 && status < 500 && status !== 429
