import type { ListStore } from './index.js'

export type { ListStore } from './index.js'

/** What is used of a `Cache`. */
export interface CacheLike {
  match(address: string): Promise<{ text(): Promise<string> } | undefined>
  put(address: string, response: Response): Promise<unknown>
}

/** What is used of a Workers KV namespace, at most 25 MiB a value. */
export interface KvNamespaceLike {
  get(key: string): Promise<string | null>
  put(key: string, value: string): Promise<unknown>
}

/**
 * Keeps lists in the browser. Any script of the page's origin can write there.
 *
 * @param name of the database. Default: `'doorlist-lists'`.
 */
export function indexedDbStore(name?: string): ListStore

/**
 * Keeps lists in the Cache API. What is there may go at any time.
 *
 * @param cache Default: `caches.default` where there is one (Workers: the cache of one data centre), else the cache `'doorlist-lists'`.
 */
export function cacheStore(cache?: CacheLike | Promise<CacheLike>): ListStore

/**
 * Keeps lists in Workers KV, for all data centres. It may take a minute until one reads what another wrote.
 *
 * @throws {TokenError} `ERR_OPTIONS_INVALID` for what is no namespace: it may not be bound
 */
export function kvStore(namespace: KvNamespaceLike): ListStore
