// A fake network, a fake clock and a fake module. The test controls them completely.
import { TokenError, closedVerifier } from '../src/errors.js'
import type { Host } from '../src/host.js'
import type { Instantiate, WasmVerifier } from '../src/wasm.js'
import type { ConnectedVerifier, ListStore, VerifierEvents } from '../types/index.js'

export const ISSUER = 'https://issuer.example'
export const METADATA = {
  issuer: ISSUER,
  jwks_uri: `${ISSUER}/jwks`,
  revocation_list_uri: `${ISSUER}/list`,
  revocation_stream_uri: `${ISSUER}/stream`,
}
export const METADATA_URL = `${ISSUER}/.well-known/oauth-authorization-server`
export const EPOCH = '00000000000000ab'

/** Lets all pending work run, except work that waits for the test. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
}

/**
 * The time changes only when a test calls `elapse` or `set`. Random numbers are always 0, so each pause after a failure
 * is half of the maximum pause.
 */
export class FakeHost implements Host {
  #ms = 1_700_000_000_000
  #setAheadMs = 0
  #timers = new Map<() => void, { at: number; ms: number }>()
  #idlers: (() => void)[] = []
  #watchers: { ms: number; seen: () => void }[] = []

  now = () => this.#ms + this.#setAheadMs
  /** The time on the clocks of other machines. `set` does not change this time. */
  real = () => this.#ms
  monotonic = () => this.#ms - 1_600_000_000_000
  random = () => 0

  after = (ms: number, call: () => void) => {
    const timer = () => call()
    this.#timers.set(timer, { at: this.#ms + ms, ms })
    this.#watchers = this.#watchers.filter(watcher => watcher.ms !== ms || watcher.seen())
    return () => this.#drop(timer)
  }

  /** Resolves when a timer of exactly `ms` milliseconds is set. */
  async waits(ms: number): Promise<void> {
    if ([...this.#timers.values()].some(timer => timer.ms === ms)) return
    await new Promise<void>(seen => this.#watchers.push({ ms, seen }))
  }

  /** Resolves when no timer is set any more. */
  async idle(): Promise<void> {
    if (this.#timers.size > 0) await new Promise<void>(idle => this.#idlers.push(idle))
  }

  elapse(ms: number): void {
    this.#ms += ms
    for (const [timer, { at }] of [...this.#timers]) {
      if (at > this.#ms || !this.#timers.has(timer)) continue
      this.#drop(timer)
      timer()
    }
  }

  /**
   * Moves the wall clock ahead by `ms` milliseconds, but not the monotonic clock. This happens when a user sets the
   * clock, or when the monotonic clock stops during sleep.
   */
  set(ms: number): void {
    this.#setAheadMs += ms
  }

  /** Discards all timers. A platform does the same when the request that set the timers has ended. */
  cutOff(): void {
    this.#timers.clear()
  }

  #drop(timer: () => void): void {
    this.#timers.delete(timer)
    if (this.#timers.size === 0) this.#idlers.splice(0).forEach(idle => idle())
  }
}

/** A request that waits for its answer. */
export class FakeRequest {
  readonly url: string
  readonly init: RequestInit
  #answer: (response: Response) => void
  #fail: (error: Error) => void
  #body: ReadableStreamDefaultController<Uint8Array> | undefined
  readonly response: Promise<Response>
  readonly aborted: Promise<void>

  constructor(url: string, init: RequestInit) {
    this.url = url
    this.init = init
    this.#answer = this.#fail = () => {}
    this.response = new Promise((resolve, reject) => {
      this.#answer = resolve
      this.#fail = reject
    })
    this.aborted = new Promise(resolve => {
      const abort = () => {
        this.#fail(new DOMException('aborted', 'AbortError'))
        resolve()
      }
      init.signal?.addEventListener('abort', abort)
      if (init.signal?.aborted) abort()
    })
  }

  text(body: string, init?: ResponseInit): void {
    this.#answer(new Response(body, init))
  }

  json(body: unknown): void {
    this.text(JSON.stringify(body))
  }

  refuse(): void {
    this.#fail(new TypeError('connection refused'))
  }

  /** Begins a stream of events. */
  open(type = 'text/event-stream'): void {
    const body = new ReadableStream<Uint8Array>({ start: controller => void (this.#body = controller) })
    this.#answer(new Response(body, { headers: { 'content-type': type } }))
  }

  send(list: string): void {
    this.#body!.enqueue(new TextEncoder().encode(`data: ${list}\n\n`))
  }

  end(): void {
    this.#body!.close()
  }

  break(): void {
    this.#body!.error(new TypeError('terminated'))
  }
}

/**
 * A network without servers. A request waits until the test takes the request by its address and answers the request.
 */
export class FakeNetwork {
  #arrived: FakeRequest[] = []
  #wanted: { url: string; take: (request: FakeRequest) => void }[] = []
  readonly log: string[] = []

  fetch = ((url: string, init: RequestInit) => {
    const request = new FakeRequest(url, init)
    this.log.push(url)
    const at = this.#wanted.findIndex(wanted => wanted.url === url)
    if (at < 0) this.#arrived.push(request)
    else this.#wanted.splice(at, 1)[0]!.take(request)
    return request.response
  }) as typeof globalThis.fetch

  async request(url: string): Promise<FakeRequest> {
    const at = this.#arrived.findIndex(request => request.url === url)
    if (at >= 0) return this.#arrived.splice(at, 1)[0]!
    return new Promise(take => this.#wanted.push({ url, take }))
  }

  /** The number of requests to this address so far. */
  count(url: string): number {
    return this.log.filter(seen => seen === url).length
  }

  /** Answers the requests for metadata, keys and the first list. */
  async begin(list: string): Promise<void> {
    ;(await this.request(METADATA_URL)).json(METADATA)
    ;(await this.request(METADATA.jwks_uri)).json({ keys: ['first'] })
    ;(await this.request(METADATA.revocation_list_uri)).text(list)
  }
}

export const since = (address: string, seq: number, epoch = EPOCH) => `${address}?since=${epoch}:${seq}`

interface FakeList {
  seq: number
  iat: number
  since?: number
  kid?: string
  epoch?: string
  /** If `keys` is given, the module trusts only these keys after it has loaded this list. */
  keys?: string[]
}

/** A list for the fake module. */
export const list = (seq: number, more: Partial<FakeList> = {}) =>
  JSON.stringify({ iat: 1_700_000_000 + seq, seq, ...more })

/**
 * A replacement for the module. A list is JSON, and a key is a name. A token is the name of the key that signed the
 * token.
 */
export const fakeModule: Instantiate = () => new FakeVerifier()

/**
 * The same module as `fakeModule`. Each new instance is also added to `made`, so that a test can interrupt one
 * instance.
 */
export function interruptible(): { module: () => FakeVerifier; made: FakeVerifier[] } {
  const made: FakeVerifier[] = []
  return { module: () => (made[made.length] = new FakeVerifier()), made }
}

export class FakeVerifier implements WasmVerifier {
  isInterrupted = false
  isClosed = false
  readonly verdict = new Float64Array(4)
  #keys = new Set<string>()
  #dropped = new Set<string>()
  #held: Required<Pick<FakeList, 'seq' | 'iat' | 'epoch'>> | undefined

  close(): void {
    this.isClosed = true
  }

  addJwks(jwks: string): void {
    for (const key of (JSON.parse(jwks) as { keys: string[] }).keys) if (!this.#dropped.has(key)) this.#keys.add(key)
  }

  trust() {
    return JSON.stringify({ keys: [...this.#keys], dropped: [...this.#dropped] })
  }

  restoreTrust(saved: string): void {
    for (const key of (JSON.parse(saved) as { dropped: string[] }).dropped) this.#drop(key)
    this.addJwks(saved)
  }

  #drop(key: string): void {
    this.#keys.delete(key)
    this.#dropped.add(key)
  }

  load(text: string) {
    this.#refuseWhenClosed()
    const { seq, iat, since, kid = 'first', epoch = EPOCH, keys } = JSON.parse(text) as FakeList
    if (!this.#keys.has(kid)) throw new TokenError('ERR_JWKS_NO_MATCHING_KEY', 'no trusted key', { kid })
    const held = this.#held
    if (held?.epoch === epoch && (seq < held.seq || (seq === held.seq && iat < held.iat))) {
      throw new TokenError('ERR_LIST_ROLLBACK', 'older')
    }
    if (since !== undefined && (held?.epoch !== epoch || since > held.seq))
      throw new TokenError('ERR_LIST_GAP', 'gap', { since })
    const outcome = seq === held?.seq && iat === held.iat ? ('unchanged' as const) : ('applied' as const)
    if (keys !== undefined) {
      for (const key of this.#keys) if (!keys.includes(key)) this.#drop(key)
      this.#keys = new Set(keys)
    }
    this.#held = { seq, iat: Math.max(iat, held?.iat ?? 0), epoch }
    return { epoch, sequence: seq, since: since ?? null, entries: 0, outcome }
  }

  #refuseWhenClosed(): void {
    if (this.isClosed) throw closedVerifier()
  }

  verify(token: string, wallSeconds: number): string {
    this.#refuseWhenClosed()
    if (this.isInterrupted) throw new TokenError('ERR_WASM_UNAVAILABLE', 'interrupted')
    if (!this.#keys.has(token)) throw new TokenError('ERR_JWKS_NO_MATCHING_KEY', 'no trusted key', { kid: token })
    return `{"payload":{"__proto__":{"admin":true},"now":${wallSeconds}},"revocation":"not_revoked"}`
  }

  remember() {
    return undefined
  }

  verifyAgain() {
    this.#refuseWhenClosed()
    return undefined
  }

  checkVetted(claims: string): void {
    this.#refuseWhenClosed()
    const { kid } = JSON.parse(claims) as { kid?: string }
    if (kid !== undefined && !this.#keys.has(kid)) throw new TokenError('ERR_JWKS_NO_MATCHING_KEY', 'no trusted key')
  }

  status(wallSeconds: number) {
    if (this.isInterrupted) throw new TokenError('ERR_WASM_UNAVAILABLE', 'interrupted')
    const { seq = null, iat = null, epoch = null } = this.#held ?? {}
    const freshness = { asOf: iat, age: iat === null ? null : wallSeconds - iat, stale: false }
    return { epoch, sequence: seq, entries: 0, ...freshness, ttl: seq === null ? null : 10, keys: [...this.#keys] }
  }
}

interface Save {
  version: number
  asOf?: number
  trust: { keys: object[]; dropped: string[] }
  lists: string[]
}

/** A store that records its operations and lets a test wait for these operations. */
export class FakeStore implements ListStore {
  readonly values: Map<string, string>
  readonly log: string[] = []
  /** Whether two writes were pending at the same time. */
  overlapped = false
  #writing = 0
  #watchers: (() => void)[] = []
  #gates: Promise<void>[] = []

  constructor(values: [string, string][] = []) {
    this.values = new Map(values)
  }

  get(key: string): string | undefined | Promise<string | undefined> {
    return this.values.get(key)
  }

  async set(key: string, value: string): Promise<void> {
    this.log.push(key)
    this.overlapped ||= this.#writing++ > 0
    this.#watchers.splice(0).forEach(watch => watch())
    await this.#gates.shift()
    this.#writing--
    this.values.set(key, value)
    this.#watchers.splice(0).forEach(watch => watch())
  }

  /** Blocks the next write until the returned function is called. */
  block(): (error?: Error) => void {
    let [open, fail]: [() => void, (error: Error) => void] = [() => {}, () => {}]
    this.#gates.push(new Promise((resolve, reject) => ([open, fail] = [resolve, reject])))
    return error => (error === undefined ? open() : fail(error))
  }

  /** Resolves when the store contains a value for this key, and `fits` accepts the value. */
  async wrote(key: string, fits: (text: string) => boolean = () => true): Promise<void> {
    while (!this.values.has(key) || !fits(this.values.get(key)!))
      await new Promise<void>(watch => this.#watchers.push(watch))
  }

  /** Resolves when no more writes begin. */
  async quiet(): Promise<void> {
    for (let before = -1; before !== this.log.length; await new Promise(resolve => setImmediate(resolve)))
      before = this.log.length
  }

  lists(key: string): string[] {
    return this.#save(key).lists
  }

  asOf(key: string): number | undefined {
    return this.#save(key).asOf
  }

  change(key: string, change: (save: Save) => Save): void {
    this.values.set(key, JSON.stringify(change(this.#save(key))))
  }

  #save(key: string): Save {
    return JSON.parse(this.values.get(key)!) as Save
  }
}

/** Resolves with the value of the next event of this name. */
export const told = <Name extends keyof VerifierEvents>(verifier: Pick<ConnectedVerifier, 'on'>, name: Name) =>
  new Promise<VerifierEvents[Name]>(resolve => {
    const off = verifier.on(name, value => {
      off()
      resolve(value)
    })
  })

/** The `ctx` of one request. `put` contains the promises that were passed to `waitUntil`. */
export class Context {
  readonly put: Promise<unknown>[] = []
  waitUntil = (promise: Promise<unknown>) => void this.put.push(promise)
}
