import type { Host } from '../host.js'
import { SessionError } from './errors.js'

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
    const plain = new Request(input, init)
    const { origin } = new URL(plain.url)
    // Not a `blob:` of the origin either, nor what is as opaque as the page.
    if (!/^http/.test(plain.url) || !origins.includes(origin) || plain.headers.has('authorization')) return fetch(plain)
    const { signal, referrer, referrerPolicy } = plain
    const follows = plain.redirect === 'follow'
    // Not every browser takes the header off where a redirect leads to another origin (Fetch standard §4.4, since 2022).
    const request = follows ? new Request(plain, { redirect: 'manual', referrer, referrerPolicy }) : plain
    const aborted = new Promise<never>((_, reject) => (signal.onabort = () => reject(signal.reason)))
    const send = async (token: string) => {
      const sent = request.clone()
      sent.headers.set('authorization', `Bearer ${token}`)
      const response = await fetch(sent)
      if (
        follows &&
        (response.type === 'opaqueredirect' ||
          (response.status > 300 && response.status < 309 && response.headers.has('location')))
      )
        throw new SessionError('ERR_REDIRECT_REFUSED', `the token follows no redirect of ${origin}`, {
          origin,
        })
      return response
    }

    signal.throwIfAborted()
    const token = await Promise.race([tokens.getAccessToken(), aborted])
    const response = await send(token)
    if (response.status !== 401 || believed.get(origin)! > host.monotonic()) return response
    const other = await Promise.race([tokens.instead(token), aborted])
    if (other === undefined || other === token) return response
    void response.body?.cancel().catch(() => {})
    const again = await send(other)
    if (again.status === 401) believed.set(origin, host.monotonic() + BELIEVED_MS)
    return again
  }
}
