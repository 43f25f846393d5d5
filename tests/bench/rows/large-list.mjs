// Measures a list of 1,000,000 handles: loading the list, looking up a handle, and loading small deltas.
import { readFileSync } from 'node:fs'
import { LOOKUP, verifierWith } from '../lib/doorlist.mjs'
import { interleaved, spread } from '../lib/measure.mjs'
import { handle, list, sample } from '../lib/world.mjs'
import { lookups } from '../runtimes/lookups.mjs'

const REVOKED = 1_000_000
const SESSIONS = 100_000_000
const LOOKUPS = 500_000

export async function largeList() {
  const large = await list(Array.from(sample(REVOKED, SESSIONS), handle), { seq: REVOKED })
  return { load: await load(large), deltas: await deltas(large), lookup: await lookup() }
}

function load(large) {
  return interleaved({
    contenders: { doorlist: verifier => void verifier.load(large) },
    input: () => verifierWith([]),
    operations: 1,
    rounds: 7,
    warmup: 1,
  })
}

/**
 * Deltas of 1 handle and deltas of 100 handles take turns on one verifier, because deltas can be loaded only in their
 * order.
 */
async function deltas(large) {
  const [rounds, warmup, sizes] = [15, 2, [1, 100]]
  const verifier = verifierWith([large])
  const times = Object.fromEntries(sizes.map(size => [size, []]))
  let seq = REVOKED
  for (let round = -warmup; round < rounds; round++) {
    for (const size of sizes) {
      const handles = sample(size, SESSIONS)
        .map(number => (number + seq) % SESSIONS)
        .sort()
      const delta = await list(Array.from(handles, handle), { seq: seq + size, since: seq })
      seq += size
      const begin = process.hrtime.bigint()
      verifier.load(delta)
      if (round >= 0) times[size].push(Number(process.hrtime.bigint() - begin))
    }
  }
  return Object.fromEntries(sizes.map(size => [size, spread(times[size])]))
}

function lookup() {
  const run = lookups(new WebAssembly.Module(readFileSync(LOOKUP)))
  return interleaved({
    contenders: { doorlist: () => run(LOOKUPS) },
    input: () => undefined,
    operations: LOOKUPS,
    rounds: 15,
  })
}
