import type { ListStore } from './index.js'

export type { ListStore } from './index.js'

/**
 * Keeps lists in files, for Node, Deno and Bun. Each file is replaced as a whole, and only its owner may read or
 * write it. Several processes may share a folder.
 *
 * @param folder used for nothing else; created at the first write
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
