import { invalidOption } from '../errors.js'
import { mustHave } from '../missing.js'
import { isText } from '../option-rules.js'
import type {
  cacheStore as CacheStore,
  indexedDbStore as IndexedDbStore,
  kvStore as KvStore,
} from '../../types/stores.js'

const TABLE = 'values'
/**
 * The number of seconds for which a cache is allowed to keep a value. A long time is safe, because the verifier reads
 * the age of a list from the list itself. The cache should drop a value only when the cache needs the space.
 */
const A_YEAR = 365 * 86_400

export const indexedDbStore: typeof IndexedDbStore = (name = 'doorlist-lists') => {
  if (!isText(name)) throw invalidOption('`name` must be the name of a database', { option: 'name' })
  /** Each call opens and closes the database. An open database would block a page that wants to delete the database. */
  const transact = async <T>(mode: IDBTransactionMode, act: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    mustHave('indexedDB')
    const opening = indexedDB.open(name)
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE)
    const database = await answerOf(opening)
    try {
      const transaction = database.transaction(TABLE, mode)
      // The value is stored only when the transaction has completed, so this code waits for the transaction.
      const through = new Promise((resolve, reject) => {
        transaction.oncomplete = resolve
        transaction.onabort = transaction.onerror = () => reject(transaction.error)
      })
      const [answer] = await Promise.all([answerOf(act(transaction.objectStore(TABLE))), through])
      return answer
    } finally {
      database.close()
    }
  }
  return {
    get: key => transact('readonly', table => table.get(key)),
    set: (key, value) => transact('readwrite', table => table.put(value, key)),
  }
}

const answerOf = <T>(request: IDBRequest<T>) =>
  new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

export const cacheStore: typeof CacheStore = cache => {
  if (cache !== undefined && !hasAll(cache, 'then') && !hasAll(cache, 'match', 'put'))
    throw invalidOption('`cache` must be a Cache, or a promise of one', { option: 'cache' })
  const opened = async () =>
    (await cache) ?? mustHave('caches') ?? (caches as { default?: Cache }).default ?? caches.open('doorlist-lists')
  // The keys of a cache are URLs. The host `doorlist.invalid` does not exist.
  const address = (key: string) => `https://doorlist.invalid/${encodeURIComponent(key)}`
  return {
    get: async key => (await (await opened()).match(address(key)))?.text(),
    set: async (key, value) => {
      const headers = { 'content-type': 'application/json', 'cache-control': `max-age=${A_YEAR}` }
      await (await opened()).put(address(key), new Response(value, { headers }))
    },
  }
}

export const kvStore: typeof KvStore = namespace => {
  if (!hasAll(namespace, 'get', 'put'))
    throw invalidOption('`namespace` must be a KV namespace: is it bound?', { option: 'namespace' })
  return {
    get: key => namespace.get(key),
    set: (key, value) => namespace.put(key, value),
  }
}

const hasAll = (value: unknown, ...names: string[]): boolean =>
  names.every(name => typeof (value as Record<string, unknown> | null | undefined)?.[name] === 'function')
