import type { Host } from '../host.js'
import { SessionError, mustHave } from './errors.js'

/**
 * If an origin answers 401 even to a new token, further 401 answers of this origin cause no refresh for this many
 * milliseconds.
 */
const BELIEVED_MS = 60_000

/**
 * Returns a `fetch` that adds the header `authorization` for the allowed origins only. After a 401, this `fetch` gets
 * another token and tries once more. If the server refused a new token recently, this `fetch` does not try again. In
 * this case the token is not the reason for the 401. Without this rule, each 401 would cause a request to the issuer.
 *
 * @param instead receives a token that a server refused, and returns another token, or `undefined`
 */
export function guardedFetch(
  getAccessToken: () => Promise<string>,
  instead: (of: string) => Promise<string | undefined>,
  origins: readonly (string | undefined)[],
  fetch: typeof globalThis.fetch,
  host: Host,
): typeof globalThis.fetch {
  /** For each origin, the monotonic time until which a 401 causes no refresh. */
  const believed = new Map<string, number>()

  return async (input, init) => {
    mustHave('Request')
    /** Clones a Request, so that its body can be sent a second time. */
    const asked = () => (input as Request).clone?.() ?? input
    const { url, headers, redirect, referrer, referrerPolicy, signal } = new Request(asked(), { ...init, body: null })
    const { origin } = new URL(url)
    // Only http(s) URLs pass the first test. `blob:` URLs do not pass, although their origin can be an allowed origin.
    // If the origin of the page is opaque, URLs with other opaque origins do not pass either.
    if (!/^http/.test(url) || !origins.includes(origin) || headers.has('authorization')) return fetch(input, init)
    const follows = redirect === 'follow'
    let stop = () => {}
    const aborted = new Promise<never>(
      (_, reject) =>
        (stop = () =>
          // Some platforms (for example React Native) lack `reason` and `throwIfAborted`.
          reject(signal.reason ?? Object.assign(new Error('aborted'), { name: 'AbortError' }))),
    )
    const unlessAborted = <T>(work: Promise<T>) => Promise.race([work, aborted])
    signal?.addEventListener('abort', stop)
    try {
      if (signal?.aborted) stop()
      let token = await unlessAborted(getAccessToken())
      for (let isAgain = false; ; isAgain = true) {
        // Only plain values are passed to `fetch`. A `fetch` of another realm (jsdom) does not accept a Request or
        // Headers of this realm.
        const response = await fetch(asked(), {
          ...init,
          headers: { ...Object.fromEntries(headers), authorization: `Bearer ${token}` },
          // Some browsers keep the header `authorization` when a redirect leads to another origin. The Fetch standard
          // has forbidden this since 2022 (§4.4).
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
        // A body that is a stream cannot be sent a second time.
        if ((init?.body as ReadableStream | undefined)?.getReader || believed.get(origin)! > host.monotonic())
          return response
        const other = await unlessAborted(instead(token))
        if (!other || other === token) return response
        void response.body?.cancel().catch(() => {})
        token = other
      }
    } finally {
      // The listener is removed, because the application may keep its signal for a long time.
      signal?.removeEventListener('abort', stop)
    }
  }
}
