import type { ListStore, Loaded, Status } from '../types/index.js'
import { Chain, MAX_LISTS, MAX_LISTS_LENGTH, type Held } from './chain.js'
import { TokenError, isTokenError } from './errors.js'
import { inTime, pause, type Host } from './host.js'
import { MAX_LIST_LENGTH, type LocalVerifier } from './verifier.js'

/** FORMAT.md §10: a save of any other version is not read. */
const VERSION = 1
/** Milliseconds that a start waits for an issuer that says nothing, when there is a list that was saved. */
export const SILENCE_MS = 2_000
/** Milliseconds that a start waits for the store. */
const READ_MS = 3_000
/** A write that takes longer is taken for gone: with its request, in a Worker. */
const WRITE_MS = 10_000
/** How often a save is written that says nothing but a newer time, and how long one rests that failed. */
const PAUSE_MS = 60_000
/** Between two writes of one value; what is revoked meanwhile goes with the second. Workers KV takes no more. */
const BREATH_MS = 1_000
/** Who fetches a snapshot because of a list that all verifiers heard at once does so within this time. */
const SPREAD_MS = 10_000
/** Of the keys, trusted and dropped. */
const MAX_TRUST_LENGTH = 64 * 1024

/** Snapshot first: the others continue from it. */
const NAMES = ['snapshot', 'recent'] as const
type Name = (typeof NAMES)[number]

/** Characters of a whole value; in lists and keys there is nothing to escape. */
const MAX_LENGTH: Record<Name, number> = {
  snapshot: MAX_LIST_LENGTH + MAX_TRUST_LENGTH + 1024,
  recent: MAX_LISTS_LENGTH + MAX_LISTS * 8 + MAX_TRUST_LENGTH + 1024,
}

/** One value of the store: lists, and the trust there was when it was written. */
interface Save {
  readonly trust: Trust
  readonly lists: readonly string[]
  /** NumericDate of what they come to. Nobody believes it; it says who should rather not write. */
  readonly asOf?: number
}

/** Checked by the module, which reads it as text. */
interface Trust {
  readonly keys?: unknown
  readonly dropped?: unknown
}

/** What came out of the store. */
export type Saves = { readonly [name in Name]: Save | undefined }

/** A store that did not do as it should, or a value in it that is no save. */
export class StoreError extends TokenError {
  constructor(message: string, key: string, cause: unknown) {
    super('ERR_STORE_FAILED', message, { key }, { cause })
  }
}

/**
 * What outlives a restart: a snapshot with the keys of then, and in a value of its own what came after it, so that a
 * heartbeat does not write megabytes. Nothing here runs by itself; between calls it keeps texts and numbers.
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
  /** Not written yet: since when it may be, in monotonic milliseconds, and what. */
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

  /** What the store has, if anything. Never rejects: what cannot be read is told, and is not there. */
  async read(signal: AbortSignal, withinMs = READ_MS): Promise<Saves | undefined> {
    const ms = Math.min(READ_MS, withinMs)
    const [snapshot, recent] = await Promise.all(NAMES.map(name => this.#readOne(name, ms, signal)))
    return snapshot === undefined && recent === undefined ? undefined : { snapshot, recent }
  }

  /**
   * A verifier that holds what was saved. Where that is not to be believed it knows at least what was dropped: a key that was
   * retired stays so, whatever became of the list.
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
    // Who goes on after an interruption does not go back: what could not be saved was known all the same.
    if (!isTaken || !this.#hasReached(local)) [local, chain] = [make(), undefined]
    // After the lists: some of them may be signed by a key that was dropped since.
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

  /** A list was loaded, after which this is held. */
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
    this.#write('recent', isNews, () => ({ trust: parsed(trust), ...this.#chain!.told }))
  }

  /** Whether there is anything to write, or to ask for before that. */
  get isBehind(): boolean {
    return !this.#isBusy && (this.wantsSnapshot || this.#due(this.#host.monotonic()) !== undefined)
  }

  /** Whether another snapshot is to be asked for. */
  get wantsSnapshot(): boolean {
    return this.#isToBegin && this.#host.monotonic() >= this.#snapshotNotBefore
  }

  /** It is: should it not come, the next is asked for later. */
  snapshotAsked(): void {
    this.#askForSnapshotIn(PAUSE_MS)
  }

  /** Writes what is due, one value at a time; all there is, once the signal has aborted. Never rejects. */
  async save(signal: AbortSignal): Promise<void> {
    // Whoever is at it goes on to what came meanwhile.
    if (this.#isBusy) return
    const due = () => this.#due(signal.aborted ? Infinity : this.#host.monotonic())
    for (let name = due(); name !== undefined; name = due()) {
      const breath = Math.max(0, (this.#breaths.get(name) ?? -Infinity) - this.#host.monotonic())
      const until = (this.#busyUntil = this.#host.monotonic() + breath + WRITE_MS)
      if (breath > 0) await pause(this.#host, breath, signal)
      await this.#writeOne(name, signal)
      // It took so long that somebody else is at it.
      if (this.#busyUntil !== until) return
    }
    this.#busyUntil = -Infinity
  }

  get #isBusy(): boolean {
    return this.#host.monotonic() < this.#busyUntil
  }

  /** After a change of the keys, and when the lists after the snapshot have become too many. */
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

  /** Whether this verifier is as far as the last one was. */
  #hasReached(local: LocalVerifier): boolean {
    const { epoch, sequence } = local.status()
    return this.#position === undefined || (epoch === this.#position.epoch && sequence! >= this.#position.sequence!)
  }

  /** Whether it came out; if not, that is told. */
  #attempt(name: Name, act: () => unknown): boolean {
    try {
      act()
      return true
    } catch (error) {
      this.#tellOf(name, 'is not taken', error)
      return false
    }
  }

  /** What brings nothing but a newer time is in no hurry. */
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
      // Once the verifier is closed no timer is to keep the process alive.
      await inTime(this.#host, WRITE_MS, signal, () => written).catch(error => {
        if (!signal.aborted) throw error
        return written
      })
      this.#writtenAt = monotonic()
      this.#breaths.set(name, monotonic() + BREATH_MS)
      if (this.#unwritten.get(name) === unwritten) this.#unwritten.delete(name)
    } catch (error) {
      this.#writeNotBefore = monotonic() + PAUSE_MS
      // It was the last chance: nobody comes by after that pause.
      if (signal.aborted) this.#unwritten.clear()
      this.#tellOf(name, 'cannot be written', error)
    }
  }

  /** Whether another process, tab or isolate heard more of the issuer and saved that: this one may be cut off from it, or late. */
  async #isSurpassed(name: Name, { asOf }: Save): Promise<boolean> {
    if (asOf === undefined) return false
    try {
      const theirs = saveIn(await this.#get(name), name).asOf ?? 0
      // Nobody has heard from the future: that would stay there for ever.
      return theirs > asOf && theirs * 1000 <= this.#host.now()
    } catch {
      // None, or none that anybody can read.
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

/** Refuses what is no save, before it is taken apart and after. */
function saveIn(value: unknown, name: Name): Save {
  if (typeof value !== 'string') throw new TypeError('it is no text')
  if (value.length > MAX_LENGTH[name]) throw new RangeError(`it has ${value.length} characters`)
  const save = parsed(value) as Save & { version?: unknown }
  if (save?.version !== VERSION) throw new TypeError(`not a saved list of version ${VERSION}`)
  const { trust, lists, asOf } = save
  const fits = Array.isArray(lists) && lists.every(list => typeof list === 'string')
  if (typeof trust !== 'object' || trust === null || !fits) throw new TypeError('it is damaged')
  return { trust, lists, ...(typeof asOf === 'number' && { asOf }) }
}

/** Without the words of the parser, which quote what they stumble over. */
function parsed(text: string): Trust {
  try {
    return JSON.parse(text) as Trust
  } catch {
    throw new TypeError('it is no JSON')
  }
}

/** Loads a list that was saved. Answers with the chain that goes on from there. */
function continued(chain: Chain | undefined, local: LocalVerifier, list: string): Chain | undefined {
  try {
    const { since, sequence } = local.load(list)
    const held = { trust: local.trust(), asOf: local.status().asOf! }
    if (since === null) return new Chain(list, sequence, held)
    chain?.append({ list, since, sequence }, held.asOf)
  } catch (error) {
    // The two values are not written in one go, nor by one process alone: the snapshot may be the newer one.
    if (!isTokenError(error, 'ERR_LIST_ROLLBACK')) throw error
  }
  return chain
}

const onlyDropped = ({ trust }: Save) => short({ keys: [], dropped: trust.dropped })

/** The module keeps the room that the longest text took. */
function short(trust: Trust): string {
  const text = JSON.stringify(trust)
  if (text.length > MAX_TRUST_LENGTH) throw new RangeError(`its trust has ${text.length} characters`)
  return text
}
