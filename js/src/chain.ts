/**
 * The limits for the lists kept after a snapshot: their number, and their total length in characters. When a limit is
 * exceeded, a new snapshot is due.
 */
export const MAX_LISTS = 256
export const MAX_LISTS_LENGTH = 256 * 1024
/** A snapshot of at most this many characters is kept among these lists. */
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
 * The lists since a snapshot. If the snapshot is short, it is one of these lists; then the chain can also be loaded
 * after any older snapshot.
 */
export class Chain {
  #links: readonly Link[]
  #asOf: number
  #isFull = false
  /** The trusted keys when the chain began. */
  readonly trust: string

  constructor(snapshot: string, sequence: number, { trust, asOf }: Held) {
    this.#links = snapshot.length > MAX_SNAPSHOT_LENGTH ? [] : [{ list: snapshot, since: -Infinity, sequence }]
    this.#asOf = asOf
    this.trust = trust
  }

  /** The lists, and the as-of time of a verifier that has loaded them. */
  get saved(): { asOf: number; lists: string[] } {
    return { asOf: this.#asOf, lists: this.#links.map(({ list }) => list) }
  }

  /**
   * Whether a list exceeded the limits. That list and all later lists are not kept, because a list cannot be loaded
   * after a gap. So the chain keeps its last as-of time.
   */
  get isFull(): boolean {
    return this.#isFull
  }

  /**
   * Adds a list, and removes the lists that the new list makes redundant: lists that end at the same sequence number,
   * and lists that brought only an earlier time.
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
