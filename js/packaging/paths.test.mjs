// The built module contains no path of the machine that built it. Otherwise two people could not build the same bytes,
// and the package would show their folders. `make reproducible` compares two whole builds.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('the WebAssembly module contains no folder of this machine', () => {
  const clone = fileURLToPath(new URL('../..', import.meta.url))
  const module = readFileSync(new URL('../wasm/verifier.wasm', import.meta.url), 'latin1')
  for (const folder of [clone, homedir(), process.env.CARGO_HOME, process.env.RUSTUP_HOME, tmpdir()]) {
    if (folder && folder !== '/') assert.ok(!module.includes(folder), `${folder} is in the module`)
  }
  // The module has paths, in panic messages. Their folders have been replaced.
  const paths = module.match(/[\w./-]+\.rs/g)
  assert.ok(paths.length > 10)
  const replaced = ['/rustc/', '/rust/deps/', 'cargo/', 'doorlist/']
  for (const path of paths)
    assert.ok(
      replaced.some(folder => path.startsWith(folder)),
      path,
    )
})
