import assert from 'node:assert/strict'
import test from 'node:test'
import { isTokenError } from '../src/errors.js'
import { cacheStore, kvStore } from '../src/stores/index.js'

test('kvStore refuses a KV namespace that is not bound', () => {
  assert.throws(
    () => kvStore(undefined as never),
    error => isTokenError(error, 'ERR_OPTIONS_INVALID') && error.message.includes('bound'),
  )
})

test('cacheStore stores a valid cache entry: the answer to a GET, with its own lifetime', async () => {
  const put: [string, Response][] = []
  const store = cacheStore({
    match: async address => put.find(([name]) => name === address)?.[1],
    put: async (address, response) => put.push([address, response]),
  })
  await store.set('doorlist:https://id.example/a?b:snapshot', 'text: ü')
  const [[address, response]] = put as [[string, Response]]
  assert.equal(new URL(address).pathname.slice(1), encodeURIComponent('doorlist:https://id.example/a?b:snapshot'))
  assert.equal(response.status, 200)
  assert.match(response.headers.get('cache-control')!, /^max-age=\d{6,}$/)
  assert.equal(await store.get('doorlist:https://id.example/a?b:snapshot'), 'text: ü')
  assert.equal(await store.get('another'), undefined)
})
