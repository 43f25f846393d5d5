import { MAX_LISTS, MAX_LISTS_LENGTH } from './saved-deltas.js'
import { MAX_LIST_LENGTH } from './verifier.js'

/** FORMAT.md §10: a save is read only if it has this version number. */
const VERSION = 1
/** The maximum length of the JSON of the trusted and dropped keys, in characters. */
const MAX_TRUST_LENGTH = 64 * 1024

/**
 * The names of the two values of a saved list. `snapshot` comes first, because the deltas in `recent` continue from the
 * snapshot.
 */
export const NAMES = ['snapshot', 'recent'] as const
export type Name = (typeof NAMES)[number]

/**
 * The maximum length of a whole value, in characters. Lists and keys contain no characters that JSON escapes, so no
 * space is reserved for escapes.
 */
const MAX_LENGTH: Record<Name, number> = {
  snapshot: MAX_LIST_LENGTH + MAX_TRUST_LENGTH + 1024,
  recent: MAX_LISTS_LENGTH + MAX_LISTS * 8 + MAX_TRUST_LENGTH + 1024,
}

/** One value of the store: lists, and the trusted and dropped keys at the time of writing. */
export interface Save {
  readonly trust: Trust
  readonly lists: readonly string[]
  /**
   * The as-of time (NumericDate) that a verifier has after it loaded these lists. The verifier does not trust this
   * time. The time only decides whether a newer save is already in the store.
   */
  readonly asOf?: number
}

/** Trusted and dropped keys. The module reads this object as JSON text, and checks the text. */
export interface Trust {
  readonly keys?: unknown
  readonly dropped?: unknown
}

/** The text that the store keeps. */
export const written = (save: Save): string => JSON.stringify({ version: VERSION, ...save })

/** Parses a save. Checks the length before parsing, and the structure after parsing. */
export function saveIn(value: unknown, name: Name): Save {
  if (typeof value !== 'string') throw new TypeError('not a text')
  if (value.length > MAX_LENGTH[name]) throw new RangeError(`too long: ${value.length} characters`)
  const save = parsed(value) as Save & { version?: unknown }
  if (save?.version !== VERSION) throw new TypeError(`not a saved list of version ${VERSION}`)
  const { trust, lists, asOf } = save
  const fits = Array.isArray(lists) && lists.every(list => typeof list === 'string')
  if (typeof trust !== 'object' || trust === null || !fits) throw new TypeError('not a valid save')
  return { trust, lists, ...(typeof asOf === 'number' && { asOf }) }
}

/** Parses the trusted and dropped keys of a verifier. */
export const trustIn = (text: string): Trust => parsed(text) as Trust

/** The trusted and dropped keys of a save, in the format that the module reads. */
export const allKeys = ({ trust }: Save): string => short(trust)

/** Only the names of the dropped keys, in the format that the module reads. The trusted keys are left out. */
export const onlyDropped = ({ trust }: Save): string => short({ keys: [], dropped: trust.dropped })

/** Parses JSON. The error does not contain the parser's message, because that message quotes the text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new TypeError('not JSON')
  }
}

/** Limits the length, because the memory of the module never shrinks after a long text. */
function short(trust: Trust): string {
  const text = JSON.stringify(trust)
  if (text.length > MAX_TRUST_LENGTH) throw new RangeError(`too many keys: their JSON has ${text.length} characters`)
  return text
}
