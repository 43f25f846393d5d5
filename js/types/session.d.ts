import type { ConnectedVerifier } from './index.js'

/** `offline`: the issuer cannot be reached, but the user is not signed out. `kicked`: the issuer ended the session. */
export type SessionState = 'signed-out' | 'active' | 'offline' | 'kicked'

/**
 * A storage for refresh tokens on platforms without cookies, for example in a native shell. The functions can be
 * synchronous or asynchronous.
 *
 * @example
 * ```ts
 * import { createSession, type TokenStorage } from 'doorlist/session'
 *
 * const storage: TokenStorage = {
 *   get: key => localStorage.getItem(key), // in a native shell: its secure storage; scripts can read `localStorage`
 *   set: (key, value) => localStorage.setItem(key, value),
 *   delete: key => localStorage.removeItem(key),
 * }
 * const session = createSession({ issuer: 'https://id.example', storage })
 * ```
 */
export interface TokenStorage {
  get(key: string): string | null | undefined | Promise<string | null | undefined>
  set(key: string, value: string): unknown
  delete(key: string): unknown
}

/** The members of a verifier that a session uses. */
export type SessionVerifier = Pick<ConnectedVerifier, 'assertNotRevoked' | 'on' | 'close'>

/**
 * The settings of a session.
 *
 * @example
 * ```ts
 * import { createSession, type SessionOptions } from 'doorlist/session'
 *
 * const options: SessionOptions = {
 *   issuer: 'https://id.example',
 *   origins: ['https://api.example'],
 *   verifier: async () => {
 *     const { connectVerifier } = await import('doorlist') // in a chunk of its own
 *     return connectVerifier({ issuer: 'https://id.example', audience: 'api' })
 *   },
 * }
 * const session = createSession(options)
 * ```
 */
export interface SessionOptions {
  /**
   * The http(s) URL of the issuer, in the issuer's own spelling. If the spelling is different, the error message
   * contains the correct spelling. Mandatory.
   */
  issuer: string
  /**
   * The `client_id` in the requests for a login or a refresh. Default: no `client_id` is sent, and the issuer uses its
   * own default.
   */
  clientId?: string
  /**
   * The place where the refresh token is kept. Default: `'cookie'`.
   * - `'cookie'`: the issuer's cookie, which scripts cannot read. The page must be on the issuer's site.
   * - `'memory'`: the memory of this tab, until the tab is closed.
   * - A {@link TokenStorage}: your own storage, which all tabs share.
   */
  storage?: 'cookie' | 'memory' | TokenStorage
  /**
   * The origins to which `fetch` sends the access token. `fetch` sends the token to no other origin. The list must
   * contain at least one origin. Default: the issuer's origin and the page's own origin.
   */
  origins?: readonly string[]
  /**
   * A verifier, or a function that creates a verifier. With a verifier, the session learns of a kick within
   * milliseconds. Without a verifier, the session learns of a kick from the next 401 or the next refresh. Default: no
   * verifier.
   *
   * A function is called in only one tab of the browser, and that tab informs the other tabs. If the browser freezes
   * that tab, another tab calls the function within four minutes. With `storage: 'memory'` the session belongs to one
   * tab, so each tab calls the function. A verifier that the function has created is closed together with the session.
   */
  verifier?: SessionVerifier | (() => Promise<SessionVerifier>)
  /** The function that sends every request. Default: the global `fetch`. */
  fetch?: typeof globalThis.fetch
}

/** The credentials of an account that the issuer keeps. */
export interface Credentials {
  /** The name of the account. It is the `sub` of the tokens. */
  username: string
  password: string
  /** The name of this browser in the device list. */
  device?: string
}

/**
 * The tokens that your own back end got from `POST /admin/sessions` (RFC 6749 §5.1). These tokens cannot be used
 * together with `storage: 'cookie'`.
 */
export interface TokenResponse {
  access_token: string
  /** The lifetime of the access token in seconds. */
  expires_in: number
  refresh_token: string
}

/**
 * The login of a user, which all tabs of a browser share. Each method also works without its object: `const { fetch } =
 * session`.
 */
export interface Session {
  readonly state: SessionState
  /** Resolves with the state when the state is known. Resolves with `offline` if the state cannot be found out now. */
  readonly ready: Promise<SessionState>
  /**
   * Calls the listener each time the state changes, in this tab or in another tab. Returns a function that removes the
   * listener.
   *
   * @example
   * ```ts
   * const off = session.onChange(state => {
   *   if (state === 'kicked') location.href = '/signed-out-by-an-administrator'
   * })
   * ```
   */
  onChange(listener: (state: SessionState) => void): () => void
  /**
   * Signs in. If the login succeeds, an earlier session is signed out. If the login fails, the earlier session
   * continues. Rejects with one of these codes:
   * - `ERR_LOGIN_REFUSED`: the username is unknown, or the password is wrong.
   * - `ERR_SESSION_OFFLINE`: the issuer cannot be reached.
   * - `ERR_ISSUER_REFUSED`: the issuer refused the request for another reason.
   * - `ERR_FETCH_FAILED`: there is a mistake in the program; see `cause`.
   * - `ERR_STORAGE_FAILED`: `storage` threw an error or did not answer in time.
   * - `ERR_SESSION_SIGNED_OUT`: the user signed out before the login was finished.
   * - `ERR_SESSION_CLOSED`: `close` was called.
   *
   * @example
   * ```ts
   * import { isSessionError } from 'doorlist/session'
   *
   * try {
   *   await session.login({ username: 'alice', password, device: 'laptop' })
   * } catch (error) {
   *   if (!isSessionError(error, 'ERR_LOGIN_REFUSED')) throw error
   *   console.log('unknown username or wrong password')
   * }
   * ```
   */
  login(how: Credentials | TokenResponse): Promise<void>
  /**
   * Signs the user out in all tabs at once. The issuer is informed now, or as soon as the issuer can be reached again.
   *
   * @example
   * ```ts
   * await session.logout()
   * location.href = '/'
   * ```
   */
  logout(): Promise<void>
  /**
   * Resolves with an access token that has at least 1 % of its lifetime left. Rejects with `ERR_SESSION_SIGNED_OUT` or
   * `ERR_SESSION_KICKED` if the session has ended. Rejects with `ERR_SESSION_OFFLINE`, `ERR_FETCH_FAILED` or
   * `ERR_STORAGE_FAILED` if there is no valid token and no token can be obtained now. These three errors have a
   * `cause`.
   *
   * @example
   * ```ts
   * const socket = new WebSocket('wss://api.example/chat', ['chat', await session.getAccessToken()])
   * ```
   */
  getAccessToken(): Promise<string>
  /**
   * Works like the global `fetch`, and adds `Authorization: Bearer` to requests to the configured `origins`. After a
   * 401 this function refreshes the token and tries once more. If the second answer is also a 401, further 401 answers
   * of this origin cause no refresh for a minute. A redirect is not followed with the token: the promise rejects with
   * `ERR_REDIRECT_REFUSED`. If there is no token, the promise rejects with the same errors as `getAccessToken`. For
   * requests that need no user, use the global `fetch`.
   *
   * @example
   * ```ts
   * const response = await session.fetch('/api/orders', { method: 'POST', body: JSON.stringify({ book: 7 }) })
   * ```
   */
  fetch: typeof globalThis.fetch
  /**
   * Returns the issuer's time, computed from the issuer's last token. Before the first token, returns the time of this
   * computer. Pass the result to `verifier.verify(token, { currentDate })`.
   *
   * @example
   * ```ts
   * verifier.verify(await session.getAccessToken(), { currentDate: session.currentDate() })
   * ```
   */
  currentDate(): Date
  /**
   * Ends the timers and listeners of this page. Pending calls reject with `ERR_SESSION_CLOSED`. The user stays signed
   * in.
   */
  close(): void
}

export interface CreateSession {
  (options: SessionOptions): Session
}

/**
 * Creates a session, which starts at once. If a user may be signed in, the session asks the issuer for a token.
 *
 * @example
 * ```ts
 * import { createSession } from 'doorlist/session'
 *
 * const session = createSession({ issuer: 'https://id.example' })
 * session.onChange(state => console.log(state)) // 'signed-out', 'active', 'offline' or 'kicked'
 * if ((await session.ready) === 'signed-out') await session.login({ username: 'alice', password })
 *
 * const response = await session.fetch('/api/me') // with the access token, refreshed if necessary
 * ```
 */
export const createSession: CreateSession

/** The stable codes of a {@link SessionError}. */
export type SessionCode =
  | 'ERR_FETCH_FAILED'
  | 'ERR_ISSUER_REFUSED'
  | 'ERR_LOGIN_REFUSED'
  | 'ERR_OPTIONS_INVALID'
  | 'ERR_PLATFORM_UNSUPPORTED'
  | 'ERR_REDIRECT_REFUSED'
  | 'ERR_SESSION_CLOSED'
  | 'ERR_SESSION_KICKED'
  | 'ERR_SESSION_OFFLINE'
  | 'ERR_SESSION_SIGNED_OUT'
  | 'ERR_STORAGE_FAILED'

/**
 * The plain form of a {@link SessionError}. It is the result of `toJSON`, and can be sent as JSON or with
 * `postMessage`.
 */
export interface PlainSessionError {
  readonly name: 'SessionError'
  readonly code: SessionCode
  readonly message: string
  readonly evidence: Readonly<Record<string, unknown>>
}

/**
 * The error of a session. Its code says why there is no token or no session; `cause` is the original error. The message
 * never contains a token. `structuredClone` and `postMessage` keep only the message of an error, so pass
 * `error.toJSON()` instead of the error.
 *
 * @example
 * ```ts
 * import { SessionError } from 'doorlist/session'
 *
 * // For an error of another realm or copy of the package, `instanceof` is false, but `isSessionError` is true.
 * if (error instanceof SessionError) console.warn(error.code, error.cause)
 * ```
 */
export class SessionError extends Error implements PlainSessionError {
  constructor(code: SessionCode, message: string, evidence?: Readonly<Record<string, unknown>>, options?: ErrorOptions)
  /**
   * Converts the plain form of an error, or an error of another copy of this package, into a SessionError. An error
   * that is already a SessionError of this copy is returned unchanged.
   *
   * @throws {SessionError} `ERR_OPTIONS_INVALID` for anything else
   *
   * @example
   * ```ts
   * import { SessionError, isSessionError } from 'doorlist/session'
   *
   * worker.onmessage = ({ data }) => {
   *   if (isSessionError(data.error)) throw SessionError.from(data.error)
   * }
   * ```
   */
  static from(error: unknown): SessionError
  readonly name: 'SessionError'
  readonly code: SessionCode
  readonly evidence: Readonly<Record<string, unknown>>
  toJSON(): PlainSessionError
}

/**
 * Whether a value is a {@link SessionError} or the plain form of a SessionError. The error can come from another copy
 * or realm of this package. If `code` is given, the error must also have this `code`.
 *
 * @example
 * ```ts
 * import { isSessionError } from 'doorlist/session'
 *
 * const response = await session.fetch('/api/me').catch(error => {
 *   if (!isSessionError(error, 'ERR_SESSION_OFFLINE')) throw error
 *   return new Response(null, { status: 503 })
 * })
 * ```
 */
export function isSessionError<C extends SessionCode = SessionCode>(
  error: unknown,
  code?: C,
): error is Error & PlainSessionError & { readonly code: C }
