import type { Credentials } from '../../types/session.js'
import type { Host } from '../host.js'
import { ask } from '../mistakes.js'
import { inTime } from './in-time.js'
import type { Settings } from './options.js'

/** The result of `/login`, `/token` or `/revoke`. */
export type Answer =
  | { readonly outcome: 'granted'; readonly tokens: Tokens }
  /** `invalid_grant`: the session or the password is invalid for good. */
  | { readonly outcome: 'over' }
  | Later

/** The answer says nothing about the session: no connection, 429, 5xx, a captive portal's page, a faulty request. */
export interface Later {
  readonly outcome: 'later'
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
 * The three requests that a session sends to its issuer. They never reject. A token is empty if it is in the cookie.
 */
export interface Issuer {
  login(credentials: Credentials): Promise<Answer>
  refresh(token: string): Promise<Answer>
  revoke(token: string): Promise<Answer>
}

/** Milliseconds within which the whole answer must arrive. */
const TIMEOUT_MS = 10_000
/** A longer `Retry-After` counts as this many milliseconds, which is an hour. */
const LONGEST_RETRY_MS = 3_600_000

export function issuerOf({ issuer, clientId, storage, fetch }: Settings, host: Host): Issuer {
  const usesCookie = storage === 'cookie'

  /** Sends text with its type, because a `fetch` of another realm does not accept objects of this realm (jsdom). */
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
      return { outcome: 'later', cause }
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

/** Decides from an answer whether the session continues. Only a real `invalid_grant` ends the session. */
export function judge(status: number, text: string, retryAfter: string | null): Answer {
  let body: Record<string, unknown> | undefined
  try {
    body = JSON.parse(text)
  } catch {
    // not from the issuer: a captive portal, for example
  }
  const error = body?.['error']
  if (status === 400 && error === 'invalid_grant') return { outcome: 'over' }
  if (status === 200 && body) return { outcome: 'granted', tokens: body as unknown as Tokens }
  // In seconds. A date counts as absent; the issuer does not send dates.
  const retryAfterMs = Math.min(Number(retryAfter) * 1000 || 0, LONGEST_RETRY_MS)
  return { outcome: 'later', status, error, retryAfterMs }
}

/** Whether the same request would be refused again. */
export const isRefusal = ({ status = 0 }: Later): boolean => status >= 400 && status < 500 && status !== 429
