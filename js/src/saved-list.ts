import type { ListStore, Loaded, Status } from '../types/index.js'
import { isTokenError } from './errors.js'
import { inTime, unlessAborted, type Host } from './host.js'
import { PAUSE_MS, SaveWriter } from './save-writer.js'
import { SavedDeltas, type Held } from './saved-deltas.js'
import { NAMES, allKeys, onlyDropped, trustIn, type Name, type Save } from './saved-format.js'
import { SavedValues } from './saved-values.js'
import type { LocalVerifier } from './verifier.js'

/** The maximum number of milliseconds to wait until the store has answered. */
const READ_MS = 3_000
/**
 * The number of milliseconds over which verifiers spread their requests for a snapshot. The spread matters when all
 * verifiers need a snapshot after the same list.
 */
const SPREAD_MS = 10_000

/** The saves read from the store. */
export type Saves = { readonly [name in Name]: Save | undefined }

/**
 * The data that survives a restart. One value holds a snapshot with its keys. Another value holds the deltas after the
 * snapshot, so that a heartbeat does not write megabytes. Nothing here runs between calls. Only texts and numbers are
 * kept.
 */
export class SavedList {
  readonly #values: SavedValues
  readonly #writer: SaveWriter
  readonly #isPinned: boolean
  readonly #host: Host
  #trust: string | undefined
  #position: Pick<Status, 'epoch' | 'sequence'> | undefined
  #deltas: SavedDeltas | undefined
  #snapshotNotBefore = -Infinity

  constructor(
    store: ListStore,
    { issuer, jwks }: { issuer: string; jwks?: unknown },
    host: Host,
    tell: (error: Error) => void,
  ) {
    this.#values = new SavedValues(store, issuer, tell)
    this.#writer = new SaveWriter(this.#values, host)
    this.#isPinned = jwks !== undefined
    this.#host = host
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
    let deltas = undefined as SavedDeltas | undefined
    const isTaken = this.#attempt('snapshot', () => {
      if (snapshot === undefined) return
      local.restoreTrust(this.#isPinned ? onlyDropped(snapshot) : allKeys(snapshot))
      deltas = continued(undefined, local, snapshot.lists[0]!)
    })
    if (isTaken && deltas !== undefined)
      this.#attempt('recent', () => {
        for (const list of recent?.lists ?? []) deltas = continued(deltas, local, list)
      })
    // After an interruption, the new verifier must not start from an older position than the old verifier had. The
    // store can contain an older position, because the last list was perhaps not saved.
    if (!isTaken || !this.#hasReached(local)) [local, deltas] = [make(), undefined]
    // The dropped keys are restored after the lists are loaded, because the key that signed a list may have been
    // dropped later.
    for (const [name, save] of [
      ['snapshot', snapshot],
      ['recent', recent],
    ] as const)
      this.#attempt(name, () => save && local.restoreTrust(onlyDropped(save)))
    if (deltas !== undefined) {
      this.#deltas = deltas
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
      this.#deltas = new SavedDeltas(list, sequence, held)
      this.#writer.plan('snapshot', isNews, () => ({ trust: trustIn(trust), lists: [list] }))
    } else this.#deltas?.append({ list, since, sequence }, held.asOf)
    if (this.#isToBegin && !wasToBegin) this.#askForSnapshotIn(SPREAD_MS * this.#host.random())
    this.#writer.plan('recent', isNews, () => ({ trust: trustIn(trust), ...this.#deltas!.saved }))
  }

  /** Whether there is a value to write, or a snapshot to request first. */
  get isBehind(): boolean {
    return !this.#writer.isBusy && (this.wantsSnapshot || this.#writer.isBehind)
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
  save(signal: AbortSignal): Promise<void> {
    return this.#writer.write(signal)
  }

  /**
   * Whether a new snapshot is needed: the keys have changed, or the lists after the last snapshot have exceeded the
   * limits.
   */
  get #isToBegin(): boolean {
    return this.#deltas !== undefined && (this.#deltas.trust !== this.#trust || this.#deltas.isFull)
  }

  #askForSnapshotIn(ms: number): void {
    this.#snapshotNotBefore = Math.max(this.#snapshotNotBefore, this.#host.monotonic() + ms)
  }

  async #readOne(name: Name, ms: number, signal: AbortSignal): Promise<Save | undefined> {
    try {
      return await inTime(unlessAborted(this.#values.get(name), signal), ms, this.#host)
    } catch (error) {
      if (!signal.aborted) this.#values.report(name, 'cannot be read', error)
      return undefined
    }
  }

  /** Whether this verifier has reached the position of the previous verifier. */
  #hasReached(local: LocalVerifier): boolean {
    const { epoch, sequence } = local.status()
    return this.#position === undefined || (epoch === this.#position.epoch && sequence! >= this.#position.sequence!)
  }

  /** Runs `act`. Returns whether `act` succeeded. After a failure, reports the error. */
  #attempt(name: Name, act: () => unknown): boolean {
    try {
      act()
      return true
    } catch (error) {
      this.#values.report(name, 'is not accepted', error)
      return false
    }
  }
}

/** Loads a saved list. Returns the deltas, extended by this list. */
function continued(deltas: SavedDeltas | undefined, local: LocalVerifier, list: string): SavedDeltas | undefined {
  try {
    const { since, sequence } = local.load(list)
    const held = { trust: local.trust(), asOf: local.status().asOf! }
    if (since === null) return new SavedDeltas(list, sequence, held)
    deltas?.append({ list, since, sequence }, held.asOf)
  } catch (error) {
    // Several processes can write the two values independently, so the snapshot may be newer than the deltas.
    if (!isTokenError(error, 'ERR_LIST_ROLLBACK')) throw error
  }
  return deltas
}
