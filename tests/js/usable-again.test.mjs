// B2: checks that every test named in the table "What makes it usable again" of issuer/README.md exists.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'

const README = new URL('../../issuer/README.md', import.meta.url)

test('B2: each row of "What makes it usable again" names a test, and each named test exists', async () => {
  const [, chapter] = (await readFile(README, 'utf8')).split('\n## What makes it usable again\n')
  const rows = chapter
    .split('\n## ')[0]
    .split('\n')
    .filter(line => line.startsWith('| ') && !line.startsWith('| failure '))
  assert.ok(rows.length > 0)
  for (const row of rows) {
    const named = [...row.matchAll(/\[`([^`]+)`\]\(([^)]+)\)/g)]
    assert.ok(named.length > 0, `no test: ${row}`)
    for (const [, name, file] of named) {
      const text = await readFile(new URL(file, README), 'utf8')
      const written = file.endsWith('.rs') ? `fn ${name}(` : `'${name}'`
      assert.ok(text.includes(written), `${file} has no test ${name}`)
    }
  }
})
