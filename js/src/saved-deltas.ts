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

/** The state of a verifier after a list: the keys it trusts, as JSON, and the list's as-of time, as NumericDate. */
export interface Held {
  readonly trust: string
  readonly asOf: number
}

/**
 * The lists that were loaded after a snapshot. If the snapshot is short, it is kept too, as the first list. The lists
 * can also be loaded after an older snapshot.
 */
export class SavedDeltas {
  #links: readonly Link[]
  #asOf: number
  #isFull = false
  /** The trusted keys when the snapshot was loaded. */
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
   * after a gap. The as-of time then stays the same too.
   */
  get isFull(): boolean {
    return this.#isFull
  }

  /**
   * Adds a list, and first removes the lists at the end of the chain that the new list replaces. A list is replaced if
   * the new list also covers its entries and ends at the same sequence number. A list that brought only a newer time is
   * also replaced.
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
