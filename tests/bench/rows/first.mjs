// Measures the first verification of a process after its imports. The time includes compiling, instantiating, reading
// the key and verifying. Each measurement starts a new process.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { spread } from '../lib/measure.mjs'
import { tokens } from '../lib/world.mjs'

const CHILD = fileURLToPath(new URL('first-child.mjs', import.meta.url))
const NAMES = ['doorlist', 'jose', 'fast-jwt', 'aws-jwt-verify', 'hono']
const ROUNDS = 11

export async function first() {
  const [token] = await tokens(1)
  const times = Object.fromEntries(NAMES.map(name => [name, []]))
  for (let round = -1; round < ROUNDS; round++) {
    for (let turn = 0; turn < NAMES.length; turn++) {
      const name = NAMES[(turn + round + 1) % NAMES.length]
      const { stdout } = await promisify(execFile)(process.execPath, [CHILD, name, token])
      if (round >= 0) times[name].push(Number(stdout) * 1e6)
    }
  }
  return Object.fromEntries(NAMES.map(name => [name, spread(times[name])]))
}
