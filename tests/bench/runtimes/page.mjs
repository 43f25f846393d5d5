// The page for Chromium. The launcher calls its functions.
import * as jose from 'jose'
import { createVerifier } from '../../../js/dist/index.js'
import { interleaved } from '../lib/measure.mjs'
import { contests, firsts } from './contests.mjs'

const libraries = { createVerifier, jose }
const read = async name => (await fetch(name)).json()

/** Returns the results of all contests. */
globalThis.measure = async () => {
  const lookup = await WebAssembly.compileStreaming(fetch('lookup.wasm'))
  const results = {}
  for (const [name, contest] of Object.entries(contests(await read('world.json'), { ...libraries, lookup }))) {
    results[name] = await interleaved(await contest())
  }
  return results
}

/** Returns the milliseconds of a first verification. */
globalThis.first = async contender => {
  const verify = firsts(await read('first.json'), libraries)[contender]
  const begin = performance.now()
  await verify()
  return performance.now() - begin
}
