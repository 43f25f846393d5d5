// A browser with tabs, and an issuer of one session, that do only what a test tells them.
import type { Channel, Locks, Platform } from '../src/session/platform.js'
import { startSession } from '../src/session/session.js'
import type { Session, SessionOptions, TokenStorage } from '../types/session.js'
import { FakeHost, ISSUER } from './fakes.js'

export const LIFETIME = 900

/** Runs what is under way as far as it gets by itself. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** RFC 6749 §5.1 and §6 and RFC 7009, with the generations of one session; what it is asked is in `asked`. */
export class FakeIssuer {
  readonly asked: string[] = []
  readonly credentials: (RequestCredentials | undefined)[] = []
  generation = 1
  /** How `/token` answers: well, with this status, or not at all. */
  mood: 'up' | 'down' | number = 'up'
  retryAfter: string | undefined
  /** Seconds by which its clock is ahead of the host's. */
  ahead = 0
  sid = '00000000000000a1'
  isKicked = false
  usesCookie = false
  #gate: Promise<void> | undefined
  #gated = ''
  #minted = 0

  constructor(readonly host: FakeHost) {}

  /** Lets answers of this path, or of all, wait until it is called. */
  hold(path = ''): () => void {
    this.#gated = path
    let open = () => {}
    this.#gate = new Promise(resolve => (open = resolve))
    return () => {
      this.#gate = undefined
      open()
    }
  }

  readonly count = (path: string) => this.asked.filter(asked => asked.startsWith(path)).length

  fetch = (async (url: string, init: RequestInit = {}) => {
    const path = url.slice(ISSUER.length)
    const body = init.body instanceof Blob ? await init.body.text() : String(init.body)
    this.asked.push(`${path} ${body}`)
    this.credentials.push(init.credentials)
    if (this.mood === 'down') throw new TypeError('fetch failed')
    const answer = typeof this.mood === 'number' ? new Response('{}', this.#init(this.mood)) : this.#answer(path, body)
    if (path.startsWith(this.#gated)) await this.#gate
    return answer
  }) as typeof globalThis.fetch

  tokens(): { access_token: string; expires_in: number; refresh_token: string } {
    const iat = Math.floor(this.host.now() / 1000) + this.ahead
    const claims = { sub: 'alice', sid: this.sid, gid: '00000000000000b1', iat, jti: String(++this.#minted) }
    const access_token = ['e30', Buffer.from(JSON.stringify(claims)).toString('base64url'), 'c2ln'].join('.')
    return { access_token, expires_in: LIFETIME, refresh_token: `r${this.generation}` }
  }

  #answer(path: string, body: string): Response {
    if (path === '/revoke') {
      this.isKicked = true
      return Response.json({})
    }
    if (path === '/login' && JSON.parse(body).password !== 'wonderland') return this.#over()
    if (path === '/login') {
      this.isKicked = false
      this.sid = `${++this.#minted}`.padStart(16, '0')
    } else {
      const sent = new URLSearchParams(body).get('refresh_token')
      const generation = this.usesCookie ? this.generation : Number(sent?.slice(1))
      if (this.isKicked || generation < this.generation - 1) return this.#over()
      if (generation === this.generation) this.generation++
    }
    const { refresh_token, ...others } = this.tokens()
    return Response.json(this.usesCookie ? others : { ...others, refresh_token })
  }

  #over = () => Response.json({ error: 'invalid_grant' }, { status: 400 })
  #init = (status: number) => ({ status, ...(this.retryAfter && { headers: { 'retry-after': this.retryAfter } }) })
}

/** Of which a test may replace a method. */
function memory(): TokenStorage {
  const held = new Map<string, string>()
  return { get: key => held.get(key), set: (key, value) => held.set(key, value), delete: key => held.delete(key) }
}

/** Locks, channels and notes that its tabs share. */
export class FakeBrowser {
  readonly host = new FakeHost()
  readonly issuer = new FakeIssuer(this.host)
  readonly storage = memory()
  readonly notes = memory()
  readonly locks = new FakeLocks()
  readonly #channels = new Set<Channel>()
  readonly #wakers = new Set<() => void>()
  hasLocks = true

  /** A page with a session. */
  tab(options: Partial<SessionOptions> = {}): Session {
    const { fetch } = this.issuer
    return startSession({ issuer: ISSUER, storage: this.storage, fetch, ...options }, this.platform())
  }

  async signedIn(options: Partial<SessionOptions> = {}): Promise<Session> {
    const tab = this.tab(options)
    await tab.login({ username: 'alice', password: 'wonderland' })
    return tab
  }

  /** Every tab hears that the network, or the laptop, is back. */
  wake(): void {
    for (const waker of this.#wakers) waker()
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
        for (const other of this.#channels)
          if (other !== channel) setImmediate(() => other.onmessage?.({ data: structuredClone(message) }))
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

/** Web Locks §5.2, exclusive ones. */
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
      await new Promise(resolve => setImmediate(resolve)) // between processes, as messages are
      return await work()
    } finally {
      release()
    }
  }

  /** A tab that holds a lock and does nothing any more; the answer is its end. */
  take(name: string): () => void {
    let release = () => {}
    const held = new Promise<void>(resolve => (release = resolve))
    void this.request(name, { signal: new AbortController().signal }, () => held)
    return release
  }
}
