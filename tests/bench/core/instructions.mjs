// `make instructions`: counts the instructions of one native verification with callgrind, and compares the count with
// instructions.json. Other load on the machine does not change the count.
//
// After an intended change, `make instructions RENEW=1` writes the new figures.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/**
 * The allowed difference, as a fraction of the count. With another compiler or C library, the count is slightly
 * different.
 */
const SLACK = 0.1

/**
 * Ranges of tokens. A key gets its tables between the 64th and the 96th token. `stock` is before these tokens, and
 * `tables` is after them.
 */
const SPANS = { stock: [0, 32], tables: [100, 164] }

const { values, positionals } = parseArgs({ allowPositionals: true, options: { renew: { type: 'boolean' } } })
const [program] = positionals
const file = fileURLToPath(new URL('instructions.json', import.meta.url))

if (process.arch !== 'x64' || process.platform !== 'linux') {
  console.log(`The counts are of x86-64 Linux; there is none to hold ${process.platform} ${process.arch} against.`)
  process.exit()
}

const counted = {}
for (const [path, [from, to]] of Object.entries(SPANS)) {
  counted[path] = Math.round((instructions(to) - instructions(from)) / (to - from))
}
if (values.renew) {
  writeFileSync(file, `${JSON.stringify(counted, null, 2)}\n`)
  console.log(`wrote ${file}: ${JSON.stringify(counted)}`)
} else {
  const stored = JSON.parse(readFileSync(file, 'utf8'))
  for (const [path, count] of Object.entries(counted)) compare(path, count, stored[path])
}

function compare(path, count, stored) {
  const off = count / stored - 1
  const said = `${path}: ${count} instructions a token, ${stored} stored (${(100 * off).toFixed(1)} %)`
  if (Math.abs(off) <= SLACK) return console.log(said)
  console.error(`${said}, where ±${100 * SLACK} % are allowed. If that is meant: make instructions RENEW=1`)
  process.exitCode = 1
}

/** Returns the number of instructions of the whole program when it verifies this many tokens. */
function instructions(tokens) {
  const options = ['--tool=callgrind', '--callgrind-out-file=/dev/null']
  const { status, stderr, error } = spawnSync('valgrind', [...options, program, String(tokens)], { encoding: 'utf8' })
  const [, count] = /Collected : (\d+)/.exec(stderr ?? '') ?? []
  if (status !== 0 || !count) throw new Error(`callgrind counted nothing: ${error ?? stderr}`)
  return Number(count)
}
