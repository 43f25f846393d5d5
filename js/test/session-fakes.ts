// A browser with tabs, and an issuer. The test controls both completely.
import { isSessionError } from '../src/session/index.js'
import type { Channel, Locks, Platform } from '../src/session/platform.js'
import { startSession } from '../src/session/session.js'
import type { Session, SessionOptions, TokenStorage } from '../types/session.js'
import { FakeHost, ISSUER } from './fakes.js'

export { settle } from './fakes.js'

export const LIFETIME = 900
const GRACE_MS = 30_000

export const has = (code: string) => (error: unknown) => isSessionError(error, code as never)

export const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
export const sidOf = (token: string): string => claimsOf(token).sid

interface FakeSession {
  readonly sid: string
  /**
   * The first letter of the session's refresh tokens. The first session has `r1`, `r2`, …; the next session has `s1`,
   * ….
   */
  readonly letter: string
  generation: number
  /** The generation before the last rotation. `at` is the time of that rotation in milliseconds. */
  before: number
  at: number
  isOver: boolean
}

/**
 * An issuer that answers as RFC 6749 §5.1 and §6 and RFC 7009 require. It also holds the cookie of one browser. `asked`
 * contains the paths and bodies of all requests.
 */
export class FakeIssuer {
  readonly asked: string[] = []
  /** The options of each request. */
  readonly requests: RequestInit[] = []
  readonly sessions: FakeSession[] = []
  /**
   * `'up'`: normal answers. `'down'`: no answers. A number: answers with this status. A function: its result is the
   * answer.
   */
  mood: 'up' | 'down' | number | (() => Response) = 'up'
  retryAfter: string | undefined
  /** Seconds by which the issuer's clock is ahead of the real time. */
  ahead = 0
  usesCookie = false
  cookie: string | undefined
  /** The last access token that was issued. */
  last = ''
  readonly #gates = new Map<string, Promise<void>>()
  #minted = 0

  constructor(readonly host: FakeHost) {}

  /** The last session that was opened. */
  get session(): FakeSession {
    return this.sessions.at(-1) ?? this.#open()
  }

  /** Opens another session, as an application's back end does. */
  open = () => this.tokens(this.#open())

  /** Delays the answers for this path (or for all paths) until the returned function is called. */
  hold(path = ''): () => void {
    let open = () => {}
    this.#gates.set(path, new Promise(resolve => (open = resolve)))
    return () => {
      this.#gates.delete(path)
      open()
    }
  }

  readonly count = (path: string) => this.asked.filter(asked => asked.startsWith(path)).length

  fetch = (async (url: string, init: RequestInit = {}) => {
    const path = url.slice(ISSUER.length)
    const body = init.body instanceof Blob ? await init.body.text() : String(init.body)
    this.asked.push(`${path} ${body}`)
    this.requests.push(init)
    if (this.mood === 'down') throw new TypeError('fetch failed')
    if (typeof this.mood === 'function') return this.mood()
    const [answer, cookie] = typeof this.mood === 'number' ? [this.#failure(this.mood)] : this.#answer(path, body)
    await Promise.all([this.#gates.get(path), this.#gates.get('')])
    init.signal?.throwIfAborted()
    if (this.usesCookie && cookie !== undefined) this.cookie = cookie || undefined
    return answer
  }) as typeof globalThis.fetch

  tokens(session = this.session): { access_token: string; expires_in: number; refresh_token: string } {
    const iat = Math.floor(this.host.real() / 1000) + this.ahead
    const { sid, letter, generation } = session
    const claims = { sub: 'alice', sid, gid: '00000000000000b1', iat, jti: String(++this.#minted) }
    const access_token = (this.last = ['e30', Buffer.from(JSON.stringify(claims)).toString('base64url'), 'c2ln'].join(
      '.',
    ))
    return { access_token, expires_in: LIFETIME, refresh_token: `${letter}${generation}` }
  }

  /**
   * Returns the answer and the new value of the cookie. An empty text deletes the cookie; `undefined` leaves the cookie
   * unchanged.
   */
  #answer(path: string, body: string): [answer: Response, cookie?: string] {
    if (path === '/login') {
      if (JSON.parse(body).password !== 'wonderland') return [this.#over()]
      const replaced = this.#of(this.cookie)
      if (replaced) replaced.isOver = true
      return this.#granted(this.#open())
    }
    const form = new URLSearchParams(body)
    const sent = this.usesCookie ? this.cookie : form.get(path === '/token' ? 'refresh_token' : 'token')
    const session = this.#of(sent)
    if (path === '/revoke') {
      if (session) session.isOver = true
      return [Response.json({}), '']
    }
    if (!session || !this.#refresh(session, Number(sent!.slice(1)))) return [this.#over(), '']
    return this.#granted(session)
  }

  /**
   * Applies the refresh rules to a refresh token of the generation `sent`. Returns whether the issuer accepts this
   * token.
   */
  #refresh(session: FakeSession, sent: number): boolean {
    const { generation, before, at } = session
    if (session.isOver) return false
    if (before <= sent && sent <= generation && this.host.real() - at < GRACE_MS) return true
    if (sent !== generation && sent !== before) {
      session.isOver = true
      return false
    }
    if (sent === generation) session.before = generation
    session.generation++
    session.at = this.host.real()
    return true
  }

  #open(): FakeSession {
    const order = this.sessions.length
    const [sid, letter] = [`${order + 1}`.padStart(16, '0'), String.fromCharCode('r'.charCodeAt(0) + order)]
    const session = { sid, letter, generation: 1, before: 0, at: -Infinity, isOver: false }
    this.sessions.push(session)
    return session
  }

  #of(token: string | null | undefined): FakeSession | undefined {
    return token ? this.sessions.find(({ letter }) => token.startsWith(letter)) : undefined
  }

  #granted(session: FakeSession): [Response, string] {
    const { refresh_token, ...others } = this.tokens(session)
    return [Response.json(this.usesCookie ? others : { ...others, refresh_token }), refresh_token]
  }

  #over = () => Response.json({ error: 'invalid_grant' }, { status: 400 })
  #failure = (status: number) =>
    new Response('{}', { status, ...(this.retryAfter && { headers: { 'retry-after': this.retryAfter } }) })
}

/** A storage in memory. A test can replace the methods of the storage. */
function memory(): TokenStorage {
  const held = new Map<string, string>()
  return { get: key => held.get(key), set: (key, value) => held.set(key, value), delete: key => held.delete(key) }
}

/** A browser. All its tabs share the locks, the channels, `storage` and `notes`. */
export class FakeBrowser {
  readonly issuer: FakeIssuer
  readonly storage = memory()
  readonly notes = memory()
  readonly locks = new FakeLocks()
  readonly #channels = new Set<Channel>()
  readonly #wakers = new Set<(isRestored: boolean) => void>()
  hasLocks = true
  #late: (() => void)[] | undefined

  constructor(readonly host = new FakeHost()) {
    this.issuer = new FakeIssuer(host)
  }

  /** Opens a page with a session. */
  tab(options: Partial<SessionOptions> = {}): Session {
    const { fetch } = this.issuer
    return startSession({ issuer: ISSUER, storage: this.storage, fetch, ...options }, this.platform())
  }

  async signedIn(options: Partial<SessionOptions> = {}): Promise<Session> {
    const tab = this.tab(options)
    await tab.login({ username: 'alice', password: 'wonderland' })
    return tab
  }

  /**
   * Tells every tab that the network is back, or that the computer has woken up. With `isRestored`, the tabs learn that
   * they were frozen and have missed all messages.
   */
  wake(isRestored = false): void {
    for (const waker of this.#wakers) waker(isRestored)
  }

  /** Delays messages between tabs until the returned function is called. */
  delayMessages(): () => void {
    const late: (() => void)[] = (this.#late = [])
    return () => {
      this.#late = undefined
      for (const deliver of late) deliver()
    }
  }

  platform(): Platform {
    return {
      host: this.host,
      locks: this.hasLocks ? this.locks : undefined,
      channel: () => this.#channel(),
      onWake: call => {
        this.#wakers.add(call)
        return () => void this.#wakers.delete(call)
      },
      origin: 'https://app.example',
      notes: () => this.notes,
    }
  }

  #channel(): Channel {
    const channel: Channel = {
      onmessage: null,
      postMessage: message => {
        if (!this.#channels.has(channel)) throw new DOMException('Channel is closed', 'InvalidStateError')
        for (const other of this.#channels) {
          const deliver = () => other.onmessage?.({ data: structuredClone(message) })
          if (other !== channel) this.#late?.push(deliver) ?? setImmediate(deliver)
        }
      },
      close: () => {
        this.#channels.delete(channel)
        channel.onmessage = null
      },
    }
    this.#channels.add(channel)
    return channel
  }
}

/** The exclusive locks of Web Locks §5.2. Shared locks are left out. */
export class FakeLocks implements Locks {
  readonly #tails = new Map<string, Promise<unknown>>()

  async request<T>(name: string, { signal }: { signal: AbortSignal }, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(name)
    let release = () => {}
    const mine = new Promise<void>(resolve => (release = resolve))
    this.#tails.set(
      name,
      Promise.resolve(before).then(() => mine),
    )
    try {
      const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      aborted.catch(() => {})
      signal.throwIfAborted()
      if (before) await Promise.race([before, aborted])
      await new Promise(resolve => setImmediate(resolve)) // delivery takes a turn, as between processes
      return await work()
    } finally {
      release()
    }
  }

  /** Takes a lock, like a tab that does nothing else. Call the returned function to release the lock. */
  take(name: string): () => void {
    let release = () => {}
    const held = new Promise<void>(resolve => (release = resolve))
    void this.request(name, { signal: new AbortController().signal }, () => held)
    return release
  }
}
