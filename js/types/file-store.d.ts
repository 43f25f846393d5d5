import type { ListStore } from './index.js'

export type { ListStore } from './index.js'

/**
 * Keeps lists in files: Node, Deno, Bun. They are replaced whole, and only their owner may read or write them; several processes may share them.
 *
 * @param folder for nothing else; made when it is first written to
 * @throws {TokenError} `ERR_OPTIONS_INVALID` for what is no path
 */
export function fileStore(folder: string): ListStore
