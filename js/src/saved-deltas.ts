/**
 * The limits for the lists that are kept after a snapshot: their number, and their total length in characters. When the
 * lists exceed a limit, the verifier needs a new snapshot.
 */
export const MAX_LISTS = 256
export const MAX_LISTS_LENGTH = 256 * 1024
/** If a snapshot has at most this many characters, the chain begins with the snapshot. */
const MAX_SNAPSHOT_LENGTH = 64 * 1024

interface Link {
  readonly list: string
  readonly since: number
  readonly sequence: number
}

/**
 * The state of a verifier that has loaded a list: the trusted and dropped keys, as JSON, and the list's as-of time, as
 * NumericDate.
 */
export interface Held {
  readonly trust: string
  readonly asOf: number
}

/**
 * The lists that were loaded after a snapshot. If the snapshot is short, it is kept too, as the first list. In this
 * case the lists can be loaded after any older snapshot.
 */
export class SavedDeltas {
  #links: readonly Link[]
  #asOf: number
  #isFull = false
  /** The trusted and dropped keys at the time when the snapshot was loaded, as JSON. */
  readonly trust: string

  constructor(snapshot: string, sequence: number, { trust, asOf }: Held) {
    this.#links = snapshot.length > MAX_SNAPSHOT_LENGTH ? [] : [{ list: snapshot, since: -Infinity, sequence }]
    this.#asOf = asOf
    this.trust = trust
  }

  /** The lists, and the as-of time of a verifier that has loaded all of them. */
  get saved(): { asOf: number; lists: string[] } {
    return { asOf: this.#asOf, lists: this.#links.map(({ list }) => list) }
  }

  /**
   * Whether a list exceeded the limits. Neither that list nor any later list is kept, because no list can be loaded
   * after a gap. From then on, `asOf` does not change either.
   */
  get isFull(): boolean {
    return this.#isFull
  }

  /**
   * Adds a list at the end. Before that, removes each last list that the new list replaces. The new list replaces the
   * last list only if its `since` is not greater than the `since` of the last list. In addition, the last list must end
   * at the same sequence number, or must contain no entries.
   */
  append(next: Link, asOf: number): void {
    const links = [...this.#links]
    for (let last = links.at(-1); last !== undefined; last = links.at(-1)) {
      if (last.since < next.since || (last.sequence !== next.sequence && last.sequence !== last.since)) break
      links.pop()
    }
    links.push(next)
    const length = links.reduce((sum, { list }) => sum + list.length, 0)
    this.#isFull ||= links.length > MAX_LISTS || length > MAX_LISTS_LENGTH
    if (this.#isFull) return
    this.#links = links
    this.#asOf = asOf
  }
}
