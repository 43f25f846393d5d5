import type { ListStore } from './index.js'

export type { ListStore } from './index.js'

/**
 * Keeps lists in files, for Node, Deno and Bun. A write replaces the whole file. Only the owner of a file can read it
 * or write to it. Several processes can use the same folder.
 *
 * @param folder a folder that contains nothing else; created at the first write
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID` if `folder` is not a path
 *
 * @example
 * ```ts
 * import { connectVerifier } from 'doorlist'
 * import { fileStore } from 'doorlist/stores/file'
 *
 * const store = fileStore('/var/lib/shop/doorlist')
 * const verifier = await connectVerifier({ issuer: 'https://id.example', audience: 'api', store })
 * ```
 */
export function fileStore(folder: string): ListStore
