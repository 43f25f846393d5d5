import type { Host } from '../host.js'
import { SessionError, mustHave } from './errors.js'

/** What a request needs of the session. */
export interface Tokens {
  getAccessToken(): Promise<string>
  /** Another token than this one, which a server refused; `undefined` when there is none. */
  instead(of: string): Promise<string | undefined>
}

/** Milliseconds for which a server that refused a new token as well is believed. */
const BELIEVED_MS = 60_000

/**
 * A `fetch` that adds the header where it may go, and nowhere else. A 401 is answered with one refresh and one more try, unless
 * the server refused that lately: it has other reasons, and the issuer is not asked in a loop.
 */
export function guardedFetch(
  tokens: Tokens,
  origins: readonly (string | undefined)[],
  fetch: typeof globalThis.fetch,
  host: Host,
): typeof globalThis.fetch {
  /** Until when, by origin. */
  const believed = new Map<string, number>()

  return async (input, init) => {
    mustHave('Request')
    /** A Request keeps its body for another try. */
    const asked = () => (input as Request).clone?.() ?? input
    const { url, headers, redirect, referrer, referrerPolicy, signal } = new Request(asked(), { ...init, body: null })
    const { origin } = new URL(url)
    // Not a `blob:` of the origin either, nor what is as opaque as the page.
    if (!/^http/.test(url) || !origins.includes(origin) || headers.has('authorization')) return fetch(input, init)
    const follows = redirect === 'follow'
    let stop = () => {}
    const aborted = new Promise<never>((_, reject) => (stop = () => reject(reasonOf(signal))))
    const send = async (token: string) => {
      // Plain values, for a `fetch` of another realm takes no Request or Headers of this one (jsdom).
      const response = await fetch(asked(), {
        ...init,
        headers: { ...Object.fromEntries(headers), authorization: `Bearer ${token}` },
        // Not every browser takes the header off where a redirect leads to another origin (Fetch standard §4.4, since 2022).
        redirect: follows ? 'manual' : redirect,
        referrer,
        referrerPolicy,
      })
      if (
        follows &&
        (response.type === 'opaqueredirect' ||
          (response.status > 300 && response.status < 309 && response.headers.has('location')))
      )
        throw new SessionError('ERR_REDIRECT_REFUSED', `the token follows no redirect of ${origin}`, { origin })
      return response
    }

    if (signal?.aborted) throw reasonOf(signal)
    signal?.addEventListener('abort', stop)
    try {
      const token = await Promise.race([tokens.getAccessToken(), aborted])
      const response = await send(token)
      // A stream is sent once.
      const isSpent = (init?.body as ReadableStream | undefined)?.getReader
      if (response.status !== 401 || isSpent || believed.get(origin)! > host.monotonic()) return response
      const other = await Promise.race([tokens.instead(token), aborted])
      if (other === undefined || other === token) return response
      void response.body?.cancel().catch(() => {})
      const again = await send(other)
      if (again.status === 401) believed.set(origin, host.monotonic() + BELIEVED_MS)
      return again
    } finally {
      // The signal may be the application's own, and live on.
      signal?.removeEventListener('abort', stop)
    }
  }
}

/** Neither `reason` nor `throwIfAborted` is on every platform (React Native). */
const reasonOf = ({ reason }: AbortSignal): unknown =>
  reason ?? Object.assign(new Error('aborted'), { name: 'AbortError' })
