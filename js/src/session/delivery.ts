import type { TokenStorage } from '../../types/session.js'
import { storageFailed } from './refusals.js'
import type { SignOuts } from './sign-outs.js'

/** Where the refresh token is kept between two requests. */
export interface Delivery {
  /**
   * Returns the token to send. Returns an empty text if the token is in the cookie, and `undefined` if the user is not
   * signed in.
   */
  read(): Promise<string | undefined>
  write(token: string): Promise<unknown>
  remove(): Promise<unknown>
}

/**
 * Keeps the token in the application's storage. The token is sent in the body of each request. An error of the storage
 * becomes `ERR_STORAGE_FAILED`, so that the error does not count as an outage.
 */
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

/**
 * The token is in the issuer's cookie, which scripts cannot read. While a sign-out is pending, the user counts as
 * signed out.
 */
export const inCookie = (signOuts: SignOuts): Delivery => ({
  read: async () => ((await signOuts.pending()).length ? undefined : ''),
  write: async () => {},
  remove: async () => {},
})
