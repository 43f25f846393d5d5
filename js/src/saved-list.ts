import type { ListStore, Loaded, Status } from '../types/index.js'
import { Chain, MAX_LISTS, MAX_LISTS_LENGTH, type Held } from './chain.js'
import { TokenError, isTokenError } from './errors.js'
import { inTime, pause, type Host } from './host.js'
import { MAX_LIST_LENGTH, type LocalVerifier } from './verifier.js'

/** FORMAT.md §10: a save with another version number is not read. */
const VERSION = 1
/** Milliseconds that a start waits for an issuer that does not answer, if there is a saved list. */
export const SILENCE_MS = 2_000
/** Milliseconds that a start waits for the store. */
const READ_MS = 3_000
/** Milliseconds after which a write counts as lost. In a Worker, a write may have ended together with its request. */
const WRITE_MS = 10_000
/**
 * Milliseconds between two writes if only the time of the save has changed. After a failed write, the next attempt
 * waits for the same duration.
 */
const PAUSE_MS = 60_000
/**
 * Milliseconds between two writes of one value. Revocations that arrive in between are in the second write. Workers KV
 * does not allow a shorter interval.
 */
const BREATH_MS = 1_000
/**
 * Milliseconds over which verifiers spread their requests for a snapshot, if all of them need a snapshot after the same
 * list.
 */
const SPREAD_MS = 10_000
/** The maximum length of the JSON of the trusted and dropped keys, in characters. */
const MAX_TRUST_LENGTH = 64 * 1024

/** The snapshot is the first, because the deltas continue from it. */
const NAMES = ['snapshot', 'recent'] as const
type Name = (typeof NAMES)[number]

/** The maximum length of a whole value, in characters; lists and keys contain nothing that JSON escapes. */
const MAX_LENGTH: Record<Name, number> = {
  snapshot: MAX_LIST_LENGTH + MAX_TRUST_LENGTH + 1024,
  recent: MAX_LISTS_LENGTH + MAX_LISTS * 8 + MAX_TRUST_LENGTH + 1024,
}

/** One value of the store: lists, and the trusted and dropped keys at the time of writing. */
interface Save {
  readonly trust: Trust
  readonly lists: readonly string[]
  /**
   * The as-of time (NumericDate) that a verifier has after it loaded these lists. It is not trusted, and only decides
   * whether a newer save is already in the store.
   */
  readonly asOf?: number
}

/** The module reads the JSON text of this object, and checks it. */
interface Trust {
  readonly keys?: unknown
  readonly dropped?: unknown
}

/** The saves read from the store. */
export type Saves = { readonly [name in Name]: Save | undefined }

/** The store failed, or a value in it is not a valid save. */
export class StoreError extends TokenError {
  constructor(message: string, key: string, cause: unknown) {
    super('ERR_STORE_FAILED', message, { key }, { cause })
  }
}

/**
 * The data that survives a restart: one value holds a snapshot with its keys, and another value holds the deltas after
 * the snapshot, so that a heartbeat does not write megabytes. Nothing here runs between calls, and only texts and
 * numbers are kept.
 */
export class SavedList {
  readonly #store: ListStore
  readonly #issuer: string
  readonly #isPinned: boolean
  readonly #host: Host
  readonly #tell: (error: Error) => void
  #trust: string | undefined
  #position: Pick<Status, 'epoch' | 'sequence'> | undefined
  #chain: Chain | undefined
  /**
   * The values that still have to be written, and the monotonic time in milliseconds from which each may be written.
   */
  readonly #unwritten = new Map<Name, { readonly due: number; readonly save: () => Save }>()
  #writtenAt = -Infinity
  readonly #breaths = new Map<Name, number>()
  #busyUntil = -Infinity
  #writeNotBefore = -Infinity
  #snapshotNotBefore = -Infinity

  constructor(
    store: ListStore,
    { issuer, jwks }: { issuer: string; jwks?: unknown },
    host: Host,
    tell: (error: Error) => void,
  ) {
    this.#store = store
    this.#issuer = issuer
    this.#isPinned = jwks !== undefined
    this.#host = host
    this.#tell = tell
  }

  /**
   * Reads the saves from the store, if there are any. Never rejects: a value that cannot be read is reported and
   * counts as absent.
   */
  async read(signal: AbortSignal, withinMs = READ_MS): Promise<Saves | undefined> {
    const ms = Math.min(READ_MS, withinMs)
    const [snapshot, recent] = await Promise.all(NAMES.map(name => this.#readOne(name, ms, signal)))
    return snapshot === undefined && recent === undefined ? undefined : { snapshot, recent }
  }

  /**
   * Creates a verifier and loads the saves into it. If the saves are not accepted, the verifier still learns the
   * dropped keys, because a retired key stays retired even if the list is refused.
   */
  replay({ snapshot, recent }: Saves, make: () => LocalVerifier): LocalVerifier {
    let local = make()
    let chain = undefined as Chain | undefined
    const isTaken = this.#attempt('snapshot', () => {
      if (snapshot === undefined) return
      local.restoreTrust(this.#isPinned ? onlyDropped(snapshot) : short(snapshot.trust))
      chain = continued(undefined, local, snapshot.lists[0]!)
    })
    if (isTaken && chain !== undefined)
      this.#attempt('recent', () => {
        for (const list of recent?.lists ?? []) chain = continued(chain, local, list)
      })
    // After an interruption the new verifier must not be behind the old verifier, whose list perhaps could not be
    // saved.
    if (!isTaken || !this.#hasReached(local)) [local, chain] = [make(), undefined]
    // The dropped keys are restored after the lists are loaded, because some lists may be signed by a key that was
    // dropped later.
    for (const [name, save] of [
      ['snapshot', snapshot],
      ['recent', recent],
    ] as const)
      this.#attempt(name, () => save && local.restoreTrust(onlyDropped(save)))
    if (chain !== undefined) {
      this.#chain = chain
      this.#position = local.status()
      this.#trust = local.trust()
    }
    return local
  }

  /** Records that a list was loaded, and that the verifier now holds this state. */
  took(list: string, { epoch, sequence, since }: Loaded, held: Held): void {
    const { trust } = held
    const { epoch: lastEpoch, sequence: lastSequence } = this.#position ?? {}
    const wasToBegin = this.#isToBegin
    const begins = since === null && wasToBegin
    const isNews = begins || epoch !== lastEpoch || sequence !== lastSequence
    this.#position = { epoch, sequence }
    this.#trust = trust
    if (since === null) {
      this.#chain = new Chain(list, sequence, held)
      this.#write('snapshot', isNews, () => ({ trust: parsed(trust), lists: [list] }))
    } else this.#chain?.append({ list, since, sequence }, held.asOf)
    if (this.#isToBegin && !wasToBegin) this.#askForSnapshotIn(SPREAD_MS * this.#host.random())
    this.#write('recent', isNews, () => ({ trust: parsed(trust), ...this.#chain!.saved }))
  }

  /** Whether there is a value to write, or a snapshot to request first. */
  get isBehind(): boolean {
    return !this.#isBusy && (this.wantsSnapshot || this.#due(this.#host.monotonic()) !== undefined)
  }

  /** Whether a new snapshot should be requested now. */
  get wantsSnapshot(): boolean {
    return this.#isToBegin && this.#host.monotonic() >= this.#snapshotNotBefore
  }

  /** Records that a snapshot was requested. If no snapshot arrives, the next request is due after `PAUSE_MS`. */
  snapshotAsked(): void {
    this.#askForSnapshotIn(PAUSE_MS)
  }

  /**
   * Writes the values that are due, one at a time. Once `signal` has aborted, writes all unwritten values. Never
   * rejects.
   */
  async save(signal: AbortSignal): Promise<void> {
    // The save that is under way also writes the values that become due meanwhile.
    if (this.#isBusy) return
    const due = () => this.#due(signal.aborted ? Infinity : this.#host.monotonic())
    for (let name = due(); name !== undefined; name = due()) {
      const breath = Math.max(0, (this.#breaths.get(name) ?? -Infinity) - this.#host.monotonic())
      const until = (this.#busyUntil = this.#host.monotonic() + breath + WRITE_MS)
      if (breath > 0) await pause(this.#host, breath, signal)
      await this.#writeOne(name, signal)
      // This save took longer than its time limit, and another save has started.
      if (this.#busyUntil !== until) return
    }
    this.#busyUntil = -Infinity
  }

  get #isBusy(): boolean {
    return this.#host.monotonic() < this.#busyUntil
  }

  /** Whether a new snapshot is needed: the keys have changed, or there are too many lists after the last snapshot. */
  get #isToBegin(): boolean {
    return this.#chain !== undefined && (this.#chain.trust !== this.#trust || this.#chain.isFull)
  }

  #askForSnapshotIn(ms: number): void {
    this.#snapshotNotBefore = Math.max(this.#snapshotNotBefore, this.#host.monotonic() + ms)
  }

  async #readOne(name: Name, ms: number, signal: AbortSignal): Promise<Save | undefined> {
    try {
      const value = await inTime(this.#host, ms, signal, () => this.#get(name))
      return value === undefined || value === null ? undefined : saveIn(value, name)
    } catch (error) {
      if (!signal.aborted) this.#tellOf(name, 'cannot be read', error)
      return undefined
    }
  }

  async #get(name: Name): Promise<unknown> {
    return this.#store.get(this.#key(name))
  }

  /** Whether this verifier has reached the position of the previous verifier. */
  #hasReached(local: LocalVerifier): boolean {
    const { epoch, sequence } = local.status()
    return this.#position === undefined || (epoch === this.#position.epoch && sequence! >= this.#position.sequence!)
  }

  /** Returns whether `act` succeeded. If it failed, reports the error. */
  #attempt(name: Name, act: () => unknown): boolean {
    try {
      act()
      return true
    } catch (error) {
      this.#tellOf(name, 'is not accepted', error)
      return false
    }
  }

  /** A save that brings only a newer time may wait. */
  #write(name: Name, isNews: boolean, save: () => Save): void {
    const due = isNews ? -Infinity : this.#writtenAt + PAUSE_MS
    this.#unwritten.set(name, { due: Math.min(due, this.#unwritten.get(name)?.due ?? Infinity), save })
  }

  #due(by: number): Name | undefined {
    if (this.#host.monotonic() < this.#writeNotBefore && by !== Infinity) return undefined
    return NAMES.find(name => (this.#unwritten.get(name)?.due ?? NaN) <= by)
  }

  async #writeOne(name: Name, signal: AbortSignal): Promise<void> {
    const unwritten = this.#unwritten.get(name)!
    const { monotonic } = this.#host
    const save = unwritten.save()
    const written = (async () => {
      if (await this.#isSurpassed(name, save)) return
      await this.#store.set(this.#key(name), JSON.stringify({ version: VERSION, ...save }))
    })()
    try {
      // Once the verifier is closed, no timer may keep the process alive.
      await inTime(this.#host, WRITE_MS, signal, () => written).catch(error => {
        if (!signal.aborted) throw error
        return written
      })
      this.#writtenAt = monotonic()
      this.#breaths.set(name, monotonic() + BREATH_MS)
      if (this.#unwritten.get(name) === unwritten) this.#unwritten.delete(name)
    } catch (error) {
      this.#writeNotBefore = monotonic() + PAUSE_MS
      // After `close` no later call repeats this write, so the data is dropped.
      if (signal.aborted) this.#unwritten.clear()
      this.#tellOf(name, 'cannot be written', error)
    }
  }

  /**
   * Whether another process, tab or isolate has saved a newer time than this save has. This happens if this verifier is
   * cut off from the issuer, or is late.
   */
  async #isSurpassed(name: Name, { asOf }: Save): Promise<boolean> {
    if (asOf === undefined) return false
    try {
      const theirs = saveIn(await this.#get(name), name).asOf ?? 0
      // A time in the future does not count: otherwise no later save would replace that save.
      return theirs > asOf && theirs * 1000 <= this.#host.now()
    } catch {
      // The store has no save, or the save cannot be read.
      return false
    }
  }

  #key(name: Name): string {
    return `doorlist:${this.#issuer}:${name}`
  }

  #tellOf(name: Name, what: string, cause: unknown): void {
    const why = cause instanceof Error ? cause.message : String(cause)
    const key = this.#key(name)
    this.#tell(new StoreError(`'${key}' in the store ${what}: ${why}`, key, cause))
  }
}

/** Parses a save. Checks the length before parsing, and the structure after parsing. */
function saveIn(value: unknown, name: Name): Save {
  if (typeof value !== 'string') throw new TypeError('not a text')
  if (value.length > MAX_LENGTH[name]) throw new RangeError(`too long: ${value.length} characters`)
  const save = parsed(value) as Save & { version?: unknown }
  if (save?.version !== VERSION) throw new TypeError(`not a saved list of version ${VERSION}`)
  const { trust, lists, asOf } = save
  const fits = Array.isArray(lists) && lists.every(list => typeof list === 'string')
  if (typeof trust !== 'object' || trust === null || !fits) throw new TypeError('not a valid save')
  return { trust, lists, ...(typeof asOf === 'number' && { asOf }) }
}

/** The parser's message is left out, because it quotes the text. */
function parsed(text: string): Trust {
  try {
    return JSON.parse(text) as Trust
  } catch {
    throw new TypeError('not JSON')
  }
}

/** Loads a saved list. Returns the chain, extended by this list. */
function continued(chain: Chain | undefined, local: LocalVerifier, list: string): Chain | undefined {
  try {
    const { since, sequence } = local.load(list)
    const held = { trust: local.trust(), asOf: local.status().asOf! }
    if (since === null) return new Chain(list, sequence, held)
    chain?.append({ list, since, sequence }, held.asOf)
  } catch (error) {
    // Several processes write the two values, each separately, so the snapshot may be newer than the deltas.
    if (!isTokenError(error, 'ERR_LIST_ROLLBACK')) throw error
  }
  return chain
}

const onlyDropped = ({ trust }: Save) => short({ keys: [], dropped: trust.dropped })

/** Limits the length, because the module keeps as much memory as its longest text needed. */
function short(trust: Trust): string {
  const text = JSON.stringify(trust)
  if (text.length > MAX_TRUST_LENGTH) throw new RangeError(`too many keys: their JSON has ${text.length} characters`)
  return text
}
