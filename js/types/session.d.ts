import type { ConnectedVerifier } from './index.js'

/** `offline`: the issuer cannot be reached; nobody is signed out by that. `kicked`: the issuer ended the session. */
export type SessionState = 'signed-out' | 'active' | 'offline' | 'kicked'

/** Keeps refresh tokens where no cookie can: in a native shell, for example. May answer at once or later. */
export interface TokenStorage {
  get(key: string): string | null | undefined | Promise<string | null | undefined>
  set(key: string, value: string): unknown
  delete(key: string): unknown
}

/** What a session asks of a verifier. */
export type SessionVerifier = Pick<ConnectedVerifier, 'assertNotRevoked' | 'on' | 'close'>

export interface SessionOptions {
  /** The http(s) URL of the issuer, in its one spelling: another one is refused, and the right one named. Mandatory. */
  issuer: string
  /** The `client_id` of logins and refreshes. Default: none is sent, and the issuer takes its own. */
  clientId?: string
  /**
   * Where the refresh token is. `'cookie'`: in the issuer's, which no script reads; the page must be of the issuer's site.
   * `'memory'`: in this tab, and gone with it. Or a storage of your own, which all tabs share. Default: `'cookie'`.
   */
  storage?: 'cookie' | 'memory' | TokenStorage
  /** The origins that `fetch` sends the access token to, and no others; at least one. Default: the issuer's and the page's own. */
  origins?: readonly string[]
  /**
   * Tells of a kick within milliseconds. A function is called in one tab of the browser at a time, which then tells the others (in
   * each tab where the session is of one tab, in `'memory'`); its verifier is closed with the session. Default: none; a kick is then learnt from the next 401 or refresh.
   */
  verifier?: SessionVerifier | (() => Promise<SessionVerifier>)
  /** Used for every request. Default: the global `fetch`. */
  fetch?: typeof globalThis.fetch
}

/** An account that the issuer keeps. */
export interface Credentials {
  /** The `sub`. */
  username: string
  password: string
  /** What the device list calls this browser. */
  device?: string
}

/** RFC 6749 §5.1: tokens that your own back end got from `POST /admin/sessions`. Not with the cookie. */
export interface TokenResponse {
  access_token: string
  /** Seconds. */
  expires_in: number
  refresh_token: string
}

/** One login, in all tabs of a browser. Every method may be called without its object. */
export interface Session {
  readonly state: SessionState
  /** Resolves once it is known whether somebody is signed in, or that this cannot be known now (`offline`). */
  readonly ready: Promise<SessionState>
  /** Calls with each new state, of whichever tab's making; the answer stops it. */
  onChange(listener: (state: SessionState) => void): () => void
  /**
   * Rejects with `ERR_LOGIN_REFUSED` (unknown username or wrong password), `ERR_SESSION_OFFLINE`, `ERR_ISSUER_REFUSED`,
   * `ERR_FETCH_FAILED` (a mistake of the program: see `cause`) or `ERR_STORAGE_FAILED` (`storage` threw or hung); a session there was goes on then, and is signed out of otherwise. With `ERR_SESSION_SIGNED_OUT` when somebody signed out meanwhile,
   * with `ERR_SESSION_CLOSED` after `close()`.
   */
  login(how: Credentials | TokenResponse): Promise<void>
  /** Signs out here and in all tabs at once; the issuer is told now, or as soon as it can be. */
  logout(): Promise<void>
  /**
   * A token that is good for a while. Rejects with `ERR_SESSION_SIGNED_OUT`, `ERR_SESSION_KICKED`, or, when there is none and none
   * can be had now, with the reason: `ERR_SESSION_OFFLINE`, `ERR_FETCH_FAILED` or `ERR_STORAGE_FAILED`, each with its `cause`.
   */
  getAccessToken(): Promise<string>
  /**
   * Like the global one. Adds `Authorization: Bearer` for the configured `origins`; after a 401 it refreshes and tries once more, for
   * each of them once a minute at most. With the token it follows no redirects: `ERR_REDIRECT_REFUSED`. Where there is none to add it
   * rejects as `getAccessToken` does; what needs nobody signed in is for the global one.
   */
  fetch: typeof globalThis.fetch
  /** The issuer's time, from its last token; the host's before there was one. For `verifier.verify(token, { currentDate })`. */
  currentDate(): Date
  /** Ends timers and listeners of this page; what waits is rejected with `ERR_SESSION_CLOSED`. Nobody is signed out. */
  close(): void
}

export interface CreateSession {
  (options: SessionOptions): Session
}

/** Begins at once: asks the issuer for a token where somebody may be signed in. */
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

/** The plain form of a {@link SessionError}: what `toJSON` gives, and what is left after `JSON` or `postMessage`. */
export interface PlainSessionError {
  readonly name: 'SessionError'
  readonly code: SessionCode
  readonly message: string
  readonly evidence: Readonly<Record<string, unknown>>
}

/**
 * Why there is no token, or no session; `cause` is the error behind it. The message never holds a token. `structuredClone` and
 * `postMessage` keep no more of an error than its message: hand over `error.toJSON()`.
 */
export class SessionError extends Error implements PlainSessionError {
  constructor(code: SessionCode, message: string, evidence?: Readonly<Record<string, unknown>>, options?: ErrorOptions)
  /**
   * Makes an error of a plain form, or of an error of another copy of this package; one of this copy is given back.
   *
   * @throws {SessionError} `ERR_OPTIONS_INVALID` for anything else
   */
  static from(error: unknown): SessionError
  readonly name: 'SessionError'
  readonly code: SessionCode
  readonly evidence: Readonly<Record<string, unknown>>
  toJSON(): PlainSessionError
}

/**
 * Whether this is a {@link SessionError} of any copy or realm of this package, or its plain form, and of this `code` where one
 * is given.
 */
export function isSessionError<C extends SessionCode = SessionCode>(
  error: unknown,
  code?: C,
): error is Error & PlainSessionError & { readonly code: C }
