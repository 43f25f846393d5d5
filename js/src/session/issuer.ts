import type { Credentials } from '../../types/session.js'
import type { Host } from '../host.js'
import { ask } from '../mistakes.js'
import { inTime } from './in-time.js'
import type { Settings } from './options.js'

/** What `/login`, `/token` or `/revoke` came to. */
export type Answer =
  | { readonly outcome: 'granted'; readonly tokens: Tokens }
  /** `invalid_grant`: the session, or the password, is no good and never will be. */
  | { readonly outcome: 'over' }
  | Later

/** It says nothing about the session: no connection, 429, 5xx, a captive portal's page, a request that is at fault. */
export interface Later {
  readonly outcome: 'later'
  /** Absent when nothing came. */
  readonly status?: number
  readonly error?: unknown
  /** Absent when it has not said. */
  readonly retryAfterMs?: number
  /** What was thrown instead of an answer. */
  readonly cause?: unknown
}

/** RFC 6749 §5.1. */
export interface Tokens {
  readonly access_token: string
  readonly expires_in: number
  readonly refresh_token?: string
}

/** The three requests a session makes of its issuer. None rejects; a token is empty when the cookie has it. */
export interface Issuer {
  login(credentials: Credentials): Promise<Answer>
  refresh(token: string): Promise<Answer>
  revoke(token: string): Promise<Answer>
}

/** Milliseconds within which the whole answer must be there. */
const TIMEOUT_MS = 10_000
/** `Retry-After` is heeded up to an hour. */
const LONGEST_RETRY_MS = 3_600_000

export function issuerOf({ issuer, clientId, storage, fetch }: Settings, host: Host): Issuer {
  const usesCookie = storage === 'cookie'

  /** A text with its type: a `fetch` of another realm takes no objects of this one (jsdom). */
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

/** What an answer says about the session; only a real `invalid_grant` ends it. */
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
  // In seconds; a date, which the issuer does not send, is as good as nothing.
  const retryAfterMs = Math.min(Number(retryAfter) * 1000 || 0, LONGEST_RETRY_MS)
  return { outcome: 'later', status, error, retryAfterMs }
}

/** Whether asking again would bring the same. */
export const isRefusal = ({ status = 0 }: Later): boolean => status >= 400 && status < 500 && status !== 429
