import type { ConnectedVerifier } from './index.js'

/** `offline`: the issuer cannot be reached; the user stays signed in. `kicked`: the issuer ended the session. */
export type SessionState = 'signed-out' | 'active' | 'offline' | 'kicked'

/**
 * Stores refresh tokens where cookies are not available, for example in a native shell. The functions may be
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

/** The part of a verifier that a session uses. */
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
   * The http(s) URL of the issuer in the issuer's own spelling. Another spelling is refused with an error that names
   * the right spelling. Mandatory.
   */
  issuer: string
  /** The `client_id` of logins and refreshes. Default: no `client_id` is sent, and the issuer uses its default. */
  clientId?: string
  /**
   * Where the refresh token is kept. `'cookie'`: in the issuer's cookie, which scripts cannot read; the page must be
   * on the issuer's site. `'memory'`: in this tab, until the tab closes. Or your own storage, which all tabs share.
   * Default: `'cookie'`.
   */
  storage?: 'cookie' | 'memory' | TokenStorage
  /**
   * The only origins to which `fetch` sends the access token. The list must contain at least one origin. Default: the
   * issuer's origin and the page's own.
   */
  origins?: readonly string[]
  /**
   * Reports a kick within milliseconds. A function is called in one tab of the browser at a time, and that tab informs
   * the others; if the browser freezes that tab, the function is called in another tab within four minutes. With
   * `'memory'`, where the session belongs to one tab, it is called in each tab. The verifier that the function returns
   * is closed together with the session. Default: none; the session then learns of a kick from the next 401 or refresh.
   */
  verifier?: SessionVerifier | (() => Promise<SessionVerifier>)
  /** Used for every request. Default: the global `fetch`. */
  fetch?: typeof globalThis.fetch
}

/** The credentials of an account that the issuer keeps. */
export interface Credentials {
  /** The `sub`. */
  username: string
  password: string
  /** The name of this browser in the device list. */
  device?: string
}

/**
 * Tokens that your own back end got from `POST /admin/sessions` (RFC 6749 §5.1). They cannot be used with
 * `storage: 'cookie'`.
 */
export interface TokenResponse {
  access_token: string
  /** Seconds. */
  expires_in: number
  refresh_token: string
}

/** One login, shared by all tabs of a browser. Every method works without its object: `const { fetch } = session`. */
export interface Session {
  readonly state: SessionState
  /** Resolves when the state is known: signed in, signed out, or `offline` if this cannot be found out now. */
  readonly ready: Promise<SessionState>
  /**
   * Calls the listener with each new state, whichever tab caused it. Returns a function that removes the listener.
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
   * Signs in. If this succeeds, an earlier session is signed out; if it fails, the earlier session continues. Rejects
   * with `ERR_LOGIN_REFUSED` (unknown username or wrong password), `ERR_SESSION_OFFLINE`, `ERR_ISSUER_REFUSED`,
   * `ERR_FETCH_FAILED` (a programming error: see `cause`), `ERR_STORAGE_FAILED` (`storage` threw or hung),
   * `ERR_SESSION_SIGNED_OUT` (the user signed out meanwhile) or `ERR_SESSION_CLOSED` (after `close()`).
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
   * Signs out here and in all tabs at once. The issuer is informed now, or as soon as it can be reached.
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
   * `ERR_SESSION_KICKED`. If no valid token is held and none can be obtained now, rejects with the reason:
   * `ERR_SESSION_OFFLINE`, `ERR_FETCH_FAILED` or `ERR_STORAGE_FAILED`, each with its `cause`.
   *
   * @example
   * ```ts
   * const socket = new WebSocket('wss://api.example/chat', ['chat', await session.getAccessToken()])
   * ```
   */
  getAccessToken(): Promise<string>
  /**
   * Works like the global `fetch`. Adds `Authorization: Bearer` for the configured `origins`. After a 401 it refreshes
   * the token and tries once more. If the second answer is a 401 too, no 401 of this origin causes a refresh for a
   * minute. Does not follow a redirect with the token (`ERR_REDIRECT_REFUSED`). Rejects like `getAccessToken` if no
   * token can be added. Use the global `fetch` for requests that need no user.
   *
   * @example
   * ```ts
   * const response = await session.fetch('/api/orders', { method: 'POST', body: JSON.stringify({ book: 7 }) })
   * ```
   */
  fetch: typeof globalThis.fetch
  /**
   * The issuer's time according to its last token, or the host's time before the first token. Use it for
   * `verifier.verify(token, { currentDate })`.
   *
   * @example
   * ```ts
   * verifier.verify(await session.getAccessToken(), { currentDate: session.currentDate() })
   * ```
   */
  currentDate(): Date
  /**
   * Ends the timers and listeners of this page, and rejects pending calls with `ERR_SESSION_CLOSED`. The user stays
   * signed in.
   */
  close(): void
}

export interface CreateSession {
  (options: SessionOptions): Session
}

/**
 * Starts at once: asks the issuer for a token if a user may be signed in.
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
 * The plain form of a {@link SessionError}: the result of `toJSON`, and the form that survives `JSON` or
 * `postMessage`.
 */
export interface PlainSessionError {
  readonly name: 'SessionError'
  readonly code: SessionCode
  readonly message: string
  readonly evidence: Readonly<Record<string, unknown>>
}

/**
 * The reason why there is no token or no session; `cause` is the underlying error. The message never contains a
 * token. `structuredClone` and `postMessage` keep only the message of an error, so pass them `error.toJSON()`.
 *
 * @example
 * ```ts
 * import { SessionError } from 'doorlist/session'
 *
 * // An error of another realm or copy of the package is not an instance: `isSessionError` recognises that too.
 * if (error instanceof SessionError) console.warn(error.code, error.cause)
 * ```
 */
export class SessionError extends Error implements PlainSessionError {
  constructor(code: SessionCode, message: string, evidence?: Readonly<Record<string, unknown>>, options?: ErrorOptions)
  /**
   * Converts a plain form, or an error of another copy of this package, into a SessionError. Returns an error of this
   * copy unchanged.
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
 * Whether this is a {@link SessionError} or the plain form of one, from any copy or realm of this package. If `code` is
 * given, the error must also have this `code`.
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
