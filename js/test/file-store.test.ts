import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { isTokenError } from '../src/errors.js'
import { fileStore } from '../src/stores/file.js'

const KEY = 'doorlist:https://id.example/tenants/a:snapshot'

async function folderOf(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'doorlist-files-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'deep', 'lists')
}

test('get returns the last value that was set, and undefined before the first', async context => {
  const folder = await folderOf(context)
  assert.equal(await fileStore(folder).get(KEY), undefined)
  await fileStore(folder).set(KEY, 'first')
  await fileStore(folder).set(KEY, 'second: ü')
  assert.equal(await fileStore(folder).get(KEY), 'second: ü')
  assert.equal((await readdir(folder)).length, 1)
})

test('only the owner may read or write the files', async context => {
  const folder = await folderOf(context)
  await fileStore(folder).set(KEY, 'value')
  const [name] = await readdir(folder)
  assert.equal((await stat(join(folder, name!))).mode & 0o777, 0o600)
  assert.equal((await stat(folder)).mode & 0o777, 0o700)
})

test('every key, of any characters, has its own file inside the folder', async context => {
  const folder = await folderOf(context)
  const keys = [
    KEY,
    KEY.toUpperCase(),
    KEY.replaceAll('/', '-'),
    '../../outside',
    '.',
    '',
    'x'.repeat(5_000),
    'nul\0l',
    'ü',
  ]
  for (const key of keys) await fileStore(folder).set(key, key)
  for (const key of keys) assert.equal(await fileStore(folder).get(key), key)
  const names = await readdir(folder)
  assert.equal(new Set(names.map(name => name.toLowerCase())).size, keys.length)
  for (const name of names) assert.match(name, /^[\w.-]{1,150}\.json$/)
})

test('of concurrent writes one whole value remains', async context => {
  const folder = await folderOf(context)
  const values = Array.from({ length: 20 }, (_, number) => String(number).repeat(50_000))
  let reading = true
  const reader = (async () => {
    while (reading) {
      const seen = await fileStore(folder).get(KEY)
      assert.ok(typeof seen !== 'string' || values.includes(seen))
    }
  })()
  await Promise.all(values.map(value => fileStore(folder).set(KEY, value)))
  reading = false
  await reader
  assert.ok(values.includes((await fileStore(folder).get(KEY))!))
  assert.equal((await readdir(folder)).length, 1)
})

test('an unfinished file of a crashed write is never read, and removed later', async context => {
  const folder = await folderOf(context)
  await fileStore(folder).set(KEY, 'whole')
  const [name] = await readdir(folder)
  const [old, young] = ['old', 'young'].map(id => join(folder, `${name}.${id}.unfinished`))
  for (const path of [old!, young!]) await writeFile(path, 'hal')
  await utimes(old!, new Date(), new Date(Date.now() - 2 * 3_600_000))
  assert.equal(await fileStore(folder).get(KEY), 'whole')
  await fileStore(folder).set(KEY, 'next')
  assert.deepEqual((await readdir(folder)).sort(), [name, `${name}.young.unfinished`])
})

test('an invalid folder is refused', () => {
  for (const folder of [undefined, '', new URL('file:///tmp')])
    assert.throws(
      () => fileStore(folder as string),
      error => isTokenError(error, 'ERR_OPTIONS_INVALID'),
    )
})

test('a write that fails keeps the previous value, and leaves no other file', async context => {
  const folder = await folderOf(context)
  await fileStore(folder).set(KEY, 'value')
  await assert.rejects(async () => fileStore(folder).set(KEY, Symbol() as never))
  assert.equal(await fileStore(folder).get(KEY), 'value')
  assert.equal((await readdir(folder)).length, 1)
})

test('a file that is longer than any list is not read', async context => {
  const folder = await folderOf(context)
  await fileStore(folder).set(KEY, 'value')
  const [name] = await readdir(folder)
  await truncate(join(folder, name!), 65 * 1024 * 1024)
  await assert.rejects(async () => fileStore(folder).get(KEY), /has 68157440 bytes/)
})
