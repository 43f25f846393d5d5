import type { ListStore, Loaded } from '../types/index.js'
import { isTokenError } from './errors.js'
import { inTime, type Host } from './host.js'
import { MAX_LIST_LENGTH, type LocalVerifier } from './verifier.js'

/** FORMAT.md §10: a save of any other version is not read. */
const VERSION = 1
/** Milliseconds that a start waits for the store. */
const READ_MS = 3_000
/** A write that takes longer is taken for gone: with its request, in a Worker. */
const WRITE_MS = 10_000
/** How often a save is written that says nothing but a newer time, and how long one rests that failed. */
const PAUSE_MS = 60_000
/** Who fetches a snapshot because of a list that all verifiers heard at once does so within this time. */
const SPREAD_MS = 10_000
/** The lists that are kept on top of a snapshot: so many, of so many characters together. Then it is time for another. */
const MAX_RECENT = 256
const MAX_RECENT_LENGTH = 256 * 1024
/** Of the keys, trusted and dropped. */
const MAX_TRUST_LENGTH = 64 * 1024

/** Snapshot first: the others continue from it. */
const NAMES = ['snapshot', 'recent'] as const
type Name = (typeof NAMES)[number]

/** Characters of a whole value; in lists and keys there is nothing to escape. */
const MAX_LENGTH: Record<Name, number> = {
  snapshot: MAX_LIST_LENGTH + MAX_TRUST_LENGTH + 1024,
  recent: MAX_RECENT_LENGTH + MAX_RECENT * 8 + MAX_TRUST_LENGTH + 1024,
}

/** One value of the store: lists, and the trust there was when it was written. */
interface Save {
  readonly trust: Trust
  readonly lists: readonly string[]
}

/** Checked by the module, which reads it as text. */
interface Trust {
  readonly keys?: unknown
  readonly dropped?: unknown
}

/** What came out of the store. */
export type Saves = { readonly [name in Name]: Save | undefined }

/** A list after the snapshot. */
interface Recent {
  readonly list: string
  readonly since: number
  readonly sequence: number
}

/** A store that did not do as it should, or a value in it that is no save. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
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
  /** What is trusted now, and what was when the snapshot came. */
  #trust: string | undefined
  #trustThen: string | undefined
  #position: string | undefined
  #recent: Recent[] = []
  #overflowed = false
  /** Not written yet: since when it may be, in monotonic milliseconds, and what. */
  readonly #unwritten = new Map<Name, { readonly due: number; readonly save: () => Save }>()
  #writtenAt = -Infinity
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
  async read(signal: AbortSignal): Promise<Saves | undefined> {
    const [snapshot, recent] = await Promise.all(NAMES.map(name => this.#readOne(name, signal)))
    return snapshot === undefined && recent === undefined ? undefined : { snapshot, recent }
  }

  /**
   * A verifier that holds what was saved. Where that is not to be believed it knows at least what was dropped: a key that was
   * retired stays so, whatever became of the list.
   */
  replay({ snapshot, recent }: Saves, make: () => LocalVerifier): LocalVerifier {
    let local = make()
    const taken = this.#attempt('snapshot', () => {
      if (snapshot === undefined) return
      local.restoreTrust(this.#isPinned ? onlyDropped(snapshot) : short(snapshot.trust))
      local.load(snapshot.lists[0]!)
      this.#trustThen = local.trust()
      this.#recent = []
    })
    if (!taken) local = make()
    else if (snapshot !== undefined) this.#attempt('recent', () => this.#replayRecent(local, recent?.lists ?? []))
    // After the lists: some of them may be signed by a key that was dropped since.
    for (const [name, save] of [
      ['snapshot', snapshot],
      ['recent', recent],
    ] as const)
      this.#attempt(name, () => save && local.restoreTrust(onlyDropped(save)))
    if (local.status().epoch !== null) this.#trust = local.trust()
    return local
  }

  /** A list was loaded, after which this is trusted. */
  took(list: string, { epoch, sequence, since }: Loaded, trust: string): void {
    const position = `${epoch}:${sequence}`
    const wasToBegin = this.#isToBegin
    const begins = since === null && wasToBegin
    const isNews = begins || position !== this.#position || trust !== this.#trust
    this.#position = position
    this.#trust = trust
    if (since === null) {
      this.#trustThen = trust
      this.#recent = []
      this.#overflowed = false
      this.#write('snapshot', isNews, () => ({ trust: parsed(trust), lists: [list] }))
    } else this.#append({ list, since, sequence })
    if (this.#isToBegin && !wasToBegin) this.#askForSnapshotIn(SPREAD_MS * this.#host.random())
    this.#write('recent', isNews, () => ({ trust: parsed(trust), lists: this.#recent.map(({ list }) => list) }))
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
      const until = (this.#busyUntil = this.#host.monotonic() + WRITE_MS)
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
    return this.#trust !== this.#trustThen || this.#overflowed
  }

  #askForSnapshotIn(ms: number): void {
    this.#snapshotNotBefore = Math.max(this.#snapshotNotBefore, this.#host.monotonic() + ms)
  }

  async #readOne(name: Name, signal: AbortSignal): Promise<Save | undefined> {
    try {
      const value: unknown = await inTime(this.#host, READ_MS, signal, () => this.#store.get(this.#key(name)))
      return value === undefined || value === null ? undefined : saveIn(value, name)
    } catch (error) {
      if (!signal.aborted) this.#tellOf(name, 'cannot be read', error)
      return undefined
    }
  }

  #replayRecent(local: LocalVerifier, lists: readonly string[]): void {
    for (const list of lists) {
      try {
        const { since, sequence } = local.load(list)
        if (since !== null) this.#append({ list, since, sequence })
      } catch (error) {
        // The two values are not written in one go, nor by one process alone: the snapshot may be the newer one.
        if (!isTokenError(error, 'ERR_LIST_ROLLBACK')) throw error
      }
    }
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

  /** Puts it in the place of those that say the same: of the same position, or of nothing but an earlier time. */
  #append(next: Recent): void {
    const recent = [...this.#recent]
    for (let last = recent.at(-1); last !== undefined; last = recent.at(-1)) {
      if (last.since < next.since || (last.sequence !== next.sequence && last.sequence !== last.since)) break
      recent.pop()
    }
    recent.push(next)
    const length = recent.reduce((sum, { list }) => sum + list.length, 0)
    this.#overflowed ||= recent.length > MAX_RECENT || length > MAX_RECENT_LENGTH
    // What would leave a gap is not kept: what is saved then stays as old as it says.
    if (!this.#overflowed) this.#recent = recent
  }

  /** What brings nothing but a newer time is in no hurry. */
  #write(name: Name, isNews: boolean, save: () => Save): void {
    const due = isNews ? -Infinity : this.#writtenAt + PAUSE_MS
    this.#unwritten.set(name, { due: Math.min(due, this.#unwritten.get(name)?.due ?? Infinity), save })
  }

  #due(by: number): Name | undefined {
    if (this.#host.monotonic() < this.#writeNotBefore) return undefined
    return NAMES.find(name => (this.#unwritten.get(name)?.due ?? NaN) <= by)
  }

  async #writeOne(name: Name, signal: AbortSignal): Promise<void> {
    const unwritten = this.#unwritten.get(name)!
    const { monotonic } = this.#host
    const value = JSON.stringify({ version: VERSION, ...unwritten.save() })
    const written = (async () => this.#store.set(this.#key(name), value))()
    try {
      // Once the verifier is closed no timer is to keep the process alive.
      await inTime(this.#host, WRITE_MS, signal, () => written).catch(error => {
        if (!signal.aborted) throw error
        return written
      })
      this.#writtenAt = monotonic()
      if (this.#unwritten.get(name) === unwritten) this.#unwritten.delete(name)
    } catch (error) {
      this.#writeNotBefore = monotonic() + PAUSE_MS
      this.#tellOf(name, 'cannot be written', error)
    }
  }

  #key(name: Name): string {
    return `doorlist:${this.#issuer}:${name}`
  }

  #tellOf(name: Name, what: string, cause: unknown): void {
    const why = cause instanceof Error ? cause.message : String(cause)
    this.#tell(new StoreError(`'${this.#key(name)}' in the store ${what}: ${why}`, { cause }))
  }
}

/** Refuses what is no save, before it is taken apart and after. */
function saveIn(value: unknown, name: Name): Save {
  if (typeof value !== 'string') throw new TypeError('it is no text')
  if (value.length > MAX_LENGTH[name]) throw new RangeError(`it has ${value.length} characters`)
  const save = parsed(value) as Save & { version?: unknown }
  if (save?.version !== VERSION) throw new TypeError(`it is no save of version ${VERSION}`)
  const { trust, lists } = save
  const fits = Array.isArray(lists) && lists.every(list => typeof list === 'string')
  if (typeof trust !== 'object' || trust === null || !fits) throw new TypeError('it is damaged')
  return { trust, lists }
}

/** Without the words of the parser, which quote what they stumble over. */
function parsed(text: string): Trust {
  try {
    return JSON.parse(text) as Trust
  } catch {
    throw new TypeError('it is no JSON')
  }
}

const onlyDropped = ({ trust }: Save) => short({ keys: [], dropped: trust.dropped })

/** The module keeps the room that the longest text took. */
function short(trust: Trust): string {
  const text = JSON.stringify(trust)
  if (text.length > MAX_TRUST_LENGTH) throw new RangeError(`its trust has ${text.length} characters`)
  return text
}
