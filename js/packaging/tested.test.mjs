// C7: the README's table of tested platforms matches the tests.
import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { js } from './consumer.mjs'
import { rows } from './matrix/rows.mjs'
import { namedInMatrix, table, testedIn } from './tested.mjs'

test('C7: the table in the README has the versions of the lock files', async () => {
  const readme = await readFile(join(js, 'README.md'), 'utf8')
  assert.ok(readme.includes(`\n${table}\n`), 'renew it: `node packaging/tested.mjs` prints the table')
})

test('C7: each row of the table has a test', async () => {
  for (const { file, words } of testedIn)
    assert.ok((await readFile(file, 'utf8')).includes(words), `${file} no longer has ${words}`)
})

test('C7: the table and `make matrix` have the same rows, and each has its lock file', async () => {
  assert.deepEqual(rows.map(({ name }) => name).sort(), [...namedInMatrix].sort())
  const folders = await readdir(join(js, 'packaging/matrix'), { withFileTypes: true })
  const names = folders.filter(entry => entry.isDirectory()).map(({ name }) => name)
  assert.deepEqual([...new Set(rows.map(({ folder }) => folder))].sort(), names.sort())
  for (const name of names) {
    const lock = await readFile(join(js, 'packaging/matrix', name, 'package-lock.json'), 'utf8')
    assert.ok(!lock.includes('"resolved": "http'), `${name}: a lock file names no registry`)
  }
})
