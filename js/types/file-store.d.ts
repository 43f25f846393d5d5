import type { ListStore } from './index.js'

export type { ListStore } from './index.js'

/**
 * Keeps lists in files: Node, Deno, Bun. They are replaced whole, and only their owner may read or write them; several processes may share them.
 *
 * @param folder for nothing else; made when it is first written to
 */
export function fileStore(folder: string): ListStore
