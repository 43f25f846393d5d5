/** So many lists, of so many characters together. Then it is time for another snapshot. */
export const MAX_LISTS = 256
export const MAX_LISTS_LENGTH = 256 * 1024
/** A snapshot up to so many characters is one of them. */
const MAX_SNAPSHOT_LENGTH = 64 * 1024

interface Link {
  readonly list: string
  readonly since: number
  readonly sequence: number
}

/** What a verifier holds after a list: whom it trusts, as JSON, and as of when, as NumericDate. */
export interface Held {
  readonly trust: string
  readonly asOf: number
}

/** The lists since a snapshot, and that one too where it is short: then they continue from any older one as well. */
export class Chain {
  #links: readonly Link[]
  #asOf: number
  #isFull = false
  /** When it began. */
  readonly trust: string

  constructor(snapshot: string, sequence: number, { trust, asOf }: Held) {
    this.#links = snapshot.length > MAX_SNAPSHOT_LENGTH ? [] : [{ list: snapshot, since: -Infinity, sequence }]
    this.#asOf = asOf
    this.trust = trust
  }

  /** The lists, and as of when somebody is who loads them. */
  get told(): { asOf: number; lists: string[] } {
    return { asOf: this.#asOf, lists: this.#links.map(({ list }) => list) }
  }

  /** Whether one found no room. What would leave a gap is not kept: they stay as old as they say. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Puts it in the place of those that say the same: of the same position, or of nothing but an earlier time. */
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
