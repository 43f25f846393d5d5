import type { Host } from '../host.js'
import { SessionError, mustHave } from './errors.js'

/** Milliseconds for which a server that refused a new token as well is believed. */
const BELIEVED_MS = 60_000

/**
 * A `fetch` that adds the header where it may go, and nowhere else. A 401 is answered with one refresh and one more try, unless
 * the server refused that lately: it has other reasons, and the issuer is not asked in a loop.
 *
 * @param instead another token than this one, which a server refused; `undefined` when there is none
 */
export function guardedFetch(
  getAccessToken: () => Promise<string>,
  instead: (of: string) => Promise<string | undefined>,
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
    const aborted = new Promise<never>(
      (_, reject) =>
        (stop = () =>
          // Neither `reason` nor `throwIfAborted` is on every platform (React Native).
          reject(signal.reason ?? Object.assign(new Error('aborted'), { name: 'AbortError' }))),
    )
    const unlessAborted = <T>(work: Promise<T>) => Promise.race([work, aborted])
    signal?.addEventListener('abort', stop)
    try {
      if (signal?.aborted) stop()
      let token = await unlessAborted(getAccessToken())
      for (let isAgain = false; ; isAgain = true) {
        // Plain values, for a `fetch` of another realm takes no Request or Headers of this one (jsdom).
        const response = await fetch(asked(), {
          ...init,
          headers: { ...Object.fromEntries(headers), authorization: `Bearer ${token}` },
          // Not every browser takes the header off where a redirect leads to another origin (Fetch standard §4.4, since 2022).
          redirect: follows ? 'manual' : redirect,
          referrer,
          referrerPolicy,
        })
        const { status } = response
        if (
          follows &&
          (response.type === 'opaqueredirect' || (status > 300 && status < 309 && response.headers.has('location')))
        )
          throw new SessionError('ERR_REDIRECT_REFUSED', `the token follows no redirect of ${origin}`, { origin })
        if (status !== 401) return response
        if (isAgain) believed.set(origin, host.monotonic() + BELIEVED_MS)
        // A stream is sent once.
        if ((init?.body as ReadableStream | undefined)?.getReader || believed.get(origin)! > host.monotonic())
          return response
        const other = await unlessAborted(instead(token))
        if (!other || other === token) return response
        void response.body?.cancel().catch(() => {})
        token = other
      }
    } finally {
      // The signal may be the application's own, and live on.
      signal?.removeEventListener('abort', stop)
    }
  }
}
