// The program for Node, Deno and Bun. `process.mjs <folder>` prints the results of all contests. `process.mjs <folder>
// <contender>` prints the milliseconds of the contender's first verification.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import * as fastJwt from 'fast-jwt'
import * as jose from 'jose'
import { createVerifier } from '../../../js/dist/index.js'
import { interleaved } from '../lib/measure.mjs'
import { contests, firsts } from './contests.mjs'

const [folder, contender] = process.argv.slice(2)
const libraries = { createVerifier, jose, fastJwt }
const read = name => JSON.parse(readFileSync(join(folder, name), 'utf8'))

if (contender) {
  const verify = firsts(read('first.json'), libraries)[contender]
  const begin = performance.now()
  await verify()
  process.stdout.write(String(performance.now() - begin))
} else {
  const lookup = new WebAssembly.Module(readFileSync(join(folder, 'lookup.wasm')))
  const results = {}
  for (const [name, contest] of Object.entries(contests(read('world.json'), { ...libraries, lookup }))) {
    results[name] = await interleaved(await contest())
  }
  process.stdout.write(JSON.stringify(results))
}
