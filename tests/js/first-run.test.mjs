// The output of a first run. npm must print no warning, because a newcomer cannot know whether a warning matters.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'

const run = promisify(execFile)
const CLONE = fileURLToPath(new URL('../..', import.meta.url))
/** The oldest Node.js that the README supports. npm compares the `engines` of every package with this version. */
const FLOOR = 'v20.19.0'
const asFloor = `Object.defineProperty(process, 'version', { value: '${FLOOR}' })`
const NODES = { [FLOOR]: `--import=data:text/javascript,${encodeURIComponent(asFloor)}`, [process.version]: '' }

for (const folder of await lockedFolders('.')) {
  for (const [node, NODE_OPTIONS] of Object.entries(NODES)) {
    test(`A2: npm prints no warning in ${folder} on Node.js ${node}`, async () => {
      // A dry run downloads nothing. It reads the lock file, and checks engines and install scripts.
      const { stdout, stderr } = await run('npm', ['ci', '--dry-run', '--offline', '--no-audit', '--no-fund'], {
        cwd: join(CLONE, folder),
        env: { ...process.env, NODE_OPTIONS },
      })
      assert.equal(stderr, '')
      assert.match(stdout, /(added|removed|changed) \d+ packages?|up to date/)
    })
  }
}

/**
 * Returns the folders of this clone that have an npm lock file. Folders that only `make matrix` installs are left out.
 */
async function lockedFolders(folder) {
  const entries = await readdir(join(CLONE, folder), { withFileTypes: true })
  const here = entries.some(({ name }) => name === 'package-lock.json') ? [folder] : []
  const below = entries.filter(entry => entry.isDirectory() && !/^(\.|node_modules$|target$|matrix$)/.test(entry.name))
  const found = await Promise.all(below.map(({ name }) => lockedFolders(join(folder, name))))
  return [...here, ...found.flat()]
}
