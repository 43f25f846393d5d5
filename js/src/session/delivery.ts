import type { TokenStorage } from '../../types/session.js'
import { storageFailed } from './refusals.js'
import type { SignOuts } from './sign-outs.js'

/** Where the refresh token is between two requests. */
export interface Delivery {
  /** What to send: the token, empty when the cookie has it; `undefined` when nobody is signed in. */
  read(): Promise<string | undefined>
  write(token: string): Promise<unknown>
  remove(): Promise<unknown>
}

/** In the page's own storage, and the form of each request. What it throws says so, and is no outage. */
export const stored = (storage: TokenStorage, key: string): Delivery => {
  const named = async <T>(act: () => T | Promise<T>): Promise<T> => {
    try {
      return await act()
    } catch (error) {
      throw storageFailed(error)
    }
  }
  return {
    read: async () => (await named(() => storage.get(key))) || undefined,
    write: token => named(() => storage.set(key, token)),
    remove: () => named(() => storage.delete(key)),
  }
}

/** In the issuer's cookie, which no script reads: signed out is who left a note that says so. */
export const inCookie = (signOuts: SignOuts): Delivery => ({
  read: async () => ((await signOuts.pending()).length ? undefined : ''),
  write: async () => {},
  remove: async () => {},
})
