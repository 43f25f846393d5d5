import { inTime, pause, unlessAborted, type Host } from './host.js'
import { NAMES, type Name, type Save } from './saved-format.js'
import type { SavedValues } from './saved-values.js'

/**
 * Milliseconds after which a write counts as lost. When a Worker's request ends, the platform can also end the writes
 * that this request began.
 */
const WRITE_MS = 10_000
/**
 * The minimum number of milliseconds between two writes if only the time of the save has changed. After a failed write,
 * the next attempt waits for the same duration.
 */
export const PAUSE_MS = 60_000
/**
 * The minimum number of milliseconds between two writes of one value. The second write contains the revocations that
 * arrived in between. Workers KV does not allow a shorter interval.
 */
const BREATH_MS = 1_000

/** A value that still has to be written. */
interface Unwritten {
  /** The earliest time of the write: monotonic, in milliseconds. */
  readonly due: number
  /** Returns the data to write. Called when the write begins. */
  readonly save: () => Save
}

/** Decides when to write each value, and writes one at a time. Nothing here runs between calls. */
export class SaveWriter {
  readonly #values: SavedValues
  readonly #host: Host
  readonly #unwritten = new Map<Name, Unwritten>()
  #writtenAt = -Infinity
  readonly #breaths = new Map<Name, number>()
  #busyUntil = -Infinity
  #writeNotBefore = -Infinity

  constructor(values: SavedValues, host: Host) {
    this.#values = values
    this.#host = host
  }

  /** Plans a write. A save that brings only a newer time can wait. */
  plan(name: Name, isNews: boolean, save: () => Save): void {
    const due = isNews ? -Infinity : this.#writtenAt + PAUSE_MS
    this.#unwritten.set(name, { due: Math.min(due, this.#unwritten.get(name)?.due ?? Infinity), save })
  }

  /** Whether a write is under way. */
  get isBusy(): boolean {
    return this.#host.monotonic() < this.#busyUntil
  }

  /** Whether there is a value to write now. */
  get isBehind(): boolean {
    return this.#due(this.#host.monotonic()) !== undefined
  }

  /**
   * Writes the values that are due, one at a time. Once `signal` has aborted, writes all unwritten values. Never
   * rejects.
   */
  async write(signal: AbortSignal): Promise<void> {
    // The call that is under way also writes the values that become due meanwhile.
    if (this.isBusy) return
    const due = () => this.#due(signal.aborted ? Infinity : this.#host.monotonic())
    for (let name = due(); name !== undefined; name = due()) {
      const breath = Math.max(0, (this.#breaths.get(name) ?? -Infinity) - this.#host.monotonic())
      const until = (this.#busyUntil = this.#host.monotonic() + breath + WRITE_MS)
      if (breath > 0) await pause(this.#host, breath, signal)
      await this.#writeOne(name, signal)
      // This call took longer than its time limit, and another call has started.
      if (this.#busyUntil !== until) return
    }
    this.#busyUntil = -Infinity
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
      if (!(await this.#isSurpassed(name, save))) await this.#values.set(name, save)
    })()
    try {
      // Once the verifier is closed, timers must not keep the process alive.
      await inTime(unlessAborted(written, signal), WRITE_MS, this.#host).catch(error => {
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
      this.#values.report(name, 'cannot be written', error)
    }
  }

  /**
   * Whether the store contains a save with a newer time, from another process, tab or isolate. This happens if this
   * verifier is cut off from the issuer, or is late.
   */
  async #isSurpassed(name: Name, { asOf }: Save): Promise<boolean> {
    if (asOf === undefined) return false
    try {
      const theirs = (await this.#values.get(name))?.asOf ?? 0
      // A time in the future does not count. Otherwise no later save would replace a save with such a time.
      return theirs > asOf && theirs * 1000 <= this.#host.now()
    } catch {
      // The save cannot be read.
      return false
    }
  }
}
