import type { ListStore } from './index.js'

export type { ListStore } from './index.js'

/** The members of a `Cache` that the store uses. */
export interface CacheLike {
  match(address: string): Promise<{ text(): Promise<string> } | undefined>
  put(address: string, response: Response): Promise<unknown>
}

/** The members of a Workers KV namespace that the store uses. A value can have at most 25 MiB. */
export interface KvNamespaceLike {
  get(key: string): Promise<string | null>
  put(key: string, value: string): Promise<unknown>
}

/**
 * Keeps lists in the browser's IndexedDB. Any script of the page's origin can change the stored lists.
 *
 * @param name the name of the database. Default: `'doorlist-lists'`.
 *
 * @example
 * ```ts
 * import { connectVerifier } from 'doorlist'
 * import { indexedDbStore } from 'doorlist/stores'
 *
 * const verifier = await connectVerifier({ issuer: 'https://id.example', audience: 'api', store: indexedDbStore() })
 * ```
 */
export function indexedDbStore(name?: string): ListStore

/**
 * Keeps lists in the Cache API. The platform can delete these lists at any time.
 *
 * @param cache Default: `caches.default` if it exists (Workers: the cache of one data centre), otherwise the cache
 * `'doorlist-lists'`.
 *
 * @example
 * ```ts
 * import { connectVerifier } from 'doorlist'
 * import { cacheStore } from 'doorlist/stores'
 *
 * const verifier = connectVerifier.lazy({ issuer: 'https://id.example', audience: 'api', store: cacheStore() })
 * ```
 */
export function cacheStore(cache?: CacheLike | Promise<CacheLike>): ListStore

/**
 * Keeps lists in Workers KV, which all data centres share. It can take a minute until another data centre sees a
 * write.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID` if the argument is not a namespace, for example because the binding is
 * missing
 *
 * @example
 * ```ts
 * import { env } from 'cloudflare:workers'
 * import { connectVerifier } from 'doorlist'
 * import { kvStore } from 'doorlist/stores'
 *
 * const store = kvStore(env.LISTS) // the binding of the namespace in `wrangler.toml`
 * const verifier = connectVerifier.lazy({ issuer: 'https://id.example', audience: 'api', store })
 * ```
 */
export function kvStore(namespace: KvNamespaceLike): ListStore
