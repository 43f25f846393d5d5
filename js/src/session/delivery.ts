import type { TokenStorage } from '../../types/session.js'
import type { SignOuts } from './sign-outs.js'

/** Where the refresh token is between two requests. */
export interface Delivery {
  /** What to send: the token, empty when the cookie has it; `undefined` when nobody is signed in. */
  read(): Promise<string | undefined>
  write(token: string): Promise<unknown>
  remove(): Promise<unknown>
}

/** In the page's own storage, and the form of each request. */
export const stored = (storage: TokenStorage, key: string): Delivery => ({
  read: async () => (await storage.get(key)) || undefined,
  write: async token => storage.set(key, token),
  remove: async () => storage.delete(key),
})

/** In the issuer's cookie, which no script reads: signed out is who left a note that says so. */
export const inCookie = (signOuts: SignOuts): Delivery => ({
  read: async () => ((await signOuts.pending()).length > 0 ? undefined : ''),
  write: async () => {},
  remove: async () => {},
})
