import { SessionError } from './errors.js'

/** What a request needs of the session. */
export interface Tokens {
  getAccessToken(): Promise<string>
  /** Another token than this one, which a server refused; `undefined` when there is none. */
  instead(of: string): Promise<string | undefined>
}

/**
 * A `fetch` that adds the header where it may go, and nowhere else. A 401 is answered with one refresh and one more try; a
 * server that refuses the new token as well is believed until there is another.
 */
export function guardedFetch(
  tokens: Tokens,
  origins: readonly (string | undefined)[],
  fetch: typeof globalThis.fetch,
): typeof globalThis.fetch {
  const refused = new Map<string, string>()

  return async (input, init) => {
    const plain = new Request(input, init)
    const { origin } = new URL(plain.url)
    if (!origins.includes(origin) || plain.headers.has('authorization')) return fetch(plain)
    const follows = plain.redirect === 'follow'
    // Not every browser takes the header off where a redirect leads to another origin (Fetch standard §4.4, since 2022).
    const request = follows ? new Request(plain, { redirect: 'manual' }) : plain
    const send = async (token: string) => {
      const sent = request.clone()
      sent.headers.set('authorization', `Bearer ${token}`)
      const response = await fetch(sent)
      if (
        follows &&
        (response.type === 'opaqueredirect' ||
          (response.status > 300 && response.status < 309 && response.headers.has('location')))
      )
        throw new SessionError('ERR_REDIRECT_REFUSED', `${origin} redirects, and the token does not go along`, {
          origin,
        })
      return response
    }

    const token = await tokens.getAccessToken()
    const response = await send(token)
    if (response.status !== 401 || refused.get(origin) === token) return response
    const other = await tokens.instead(token)
    if (other === undefined || other === token) return response
    void response.body?.cancel().catch(() => {})
    const again = await send(other)
    if (again.status === 401) refused.set(origin, other)
    else refused.delete(origin)
    return again
  }
}
