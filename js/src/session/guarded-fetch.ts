import type { Host } from '../host.js'
import { SessionError, mustHave } from './errors.js'

/** Milliseconds for which no refresh follows a 401, after a server has refused a new token too. */
const BELIEVED_MS = 60_000

/**
 * A `fetch` that adds the header for the allowed origins only. After a 401 it refreshes once and tries again, unless
 * the server refused a new token recently: then the token is not the reason for the 401, and the issuer must not be
 * asked in a loop.
 *
 * @param instead given a token that a server refused, returns another token; `undefined` if no other token is available
 */
export function guardedFetch(
  getAccessToken: () => Promise<string>,
  instead: (of: string) => Promise<string | undefined>,
  origins: readonly (string | undefined)[],
  fetch: typeof globalThis.fetch,
  host: Host,
): typeof globalThis.fetch {
  /** For each origin, the time at which this period ends. */
  const believed = new Map<string, number>()

  return async (input, init) => {
    mustHave('Request')
    /** Keeps the body of a Request for a second try. */
    const asked = () => (input as Request).clone?.() ?? input
    const { url, headers, redirect, referrer, referrerPolicy, signal } = new Request(asked(), { ...init, body: null })
    const { origin } = new URL(url)
    // The test for `http` excludes `blob:` URLs of the origin. On a page with an opaque origin, it also excludes other
    // opaque origins.
    if (!/^http/.test(url) || !origins.includes(origin) || headers.has('authorization')) return fetch(input, init)
    const follows = redirect === 'follow'
    let stop = () => {}
    const aborted = new Promise<never>(
      (_, reject) =>
        (stop = () =>
          // Some platforms lack `reason` and `throwIfAborted` (React Native).
          reject(signal.reason ?? Object.assign(new Error('aborted'), { name: 'AbortError' }))),
    )
    const unlessAborted = <T>(work: Promise<T>) => Promise.race([work, aborted])
    signal?.addEventListener('abort', stop)
    try {
      if (signal?.aborted) stop()
      let token = await unlessAborted(getAccessToken())
      for (let isAgain = false; ; isAgain = true) {
        // The request consists of plain values, because a `fetch` of another realm does not accept a Request or Headers
        // of this realm (jsdom).
        const response = await fetch(asked(), {
          ...init,
          headers: { ...Object.fromEntries(headers), authorization: `Bearer ${token}` },
          // Not every browser removes the header when a redirect leads to another origin (Fetch standard §4.4, since
          // 2022).
          redirect: follows ? 'manual' : redirect,
          referrer,
          referrerPolicy,
        })
        const { status } = response
        if (
          follows &&
          (response.type === 'opaqueredirect' || (status > 300 && status < 309 && response.headers.has('location')))
        )
          throw new SessionError('ERR_REDIRECT_REFUSED', `redirect of ${origin} not followed`, { origin })
        if (status !== 401) return response
        if (isAgain) believed.set(origin, host.monotonic() + BELIEVED_MS)
        // A stream can be sent only once.
        if ((init?.body as ReadableStream | undefined)?.getReader || believed.get(origin)! > host.monotonic())
          return response
        const other = await unlessAborted(instead(token))
        if (!other || other === token) return response
        void response.body?.cancel().catch(() => {})
        token = other
      }
    } finally {
      // The signal may belong to the application, which may still need it after this request.
      signal?.removeEventListener('abort', stop)
    }
  }
}
