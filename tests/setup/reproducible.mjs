// `make reproducible`: builds the WebAssembly module in two copies of this tree, in different folders, and compares the
// bytes. Another person can then build a release and compare it with the published one.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const clone = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'doorlist-reproducible-'))
try {
  // The lengths of the two paths differ too, because a path of another length moves everything behind it.
  const [first, second] = ['a', 'another-folder/below'].map(name => built(join(folder, name)))
  for (const [name, hash] of Object.entries(first)) {
    if (second[name] !== hash) {
      console.error(`${name} depends on the folder in which it is built: ${hash} and ${second[name]}.`)
      process.exitCode = 1
    } else {
      console.log(`${name}: both builds have the SHA-256 ${hash}`)
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Builds the module in a copy of this tree. Returns the hash of each file. */
function built(copy) {
  mkdirSync(copy, { recursive: true })
  execFileSync(join(clone, 'tests/setup/clone.sh'), [copy])
  symlinkSync(join(clone, 'js/node_modules'), join(copy, 'js/node_modules'))
  const { CARGO_TARGET_DIR: _, ...env } = process.env
  execFileSync('node', [join(copy, 'js/scripts/build-wasm.mjs')], { stdio: ['ignore', 'ignore', 'inherit'], env })
  const files = ['verifier.wasm', 'glue.js', 'inlined.js']
  const hash = name =>
    createHash('sha256')
      .update(readFileSync(join(copy, 'js/wasm', name)))
      .digest('hex')
  return Object.fromEntries(files.map(name => [name, hash(name)]))
}
