// A list of 1,000,000 handles: loading it, a lookup in it, and small deltas onto it.
import { readFileSync } from 'node:fs'
import { fromRoot, verifierWith } from '../lib/doorlist.mjs'
import { interleaved, spread } from '../lib/measure.mjs'
import { handle, list, sample } from '../lib/world.mjs'

const REVOKED = 1_000_000
const SESSIONS = 100_000_000
const LOOKUPS = 500_000
const LOOKUP =
  process.env.DOORLIST_LOOKUP ??
  fromRoot('tests/bench/lookup/target/wasm32-unknown-unknown/release/doorlist_lookup.wasm')

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

/** Each size in turn: deltas fit only in their order. */
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

/** Random handles of the blocks that the list is about, many a call: inside wasm, see `lookup/`. */
function lookup() {
  const module = new WebAssembly.Module(readFileSync(LOOKUP))
  const { exports } = new WebAssembly.Instance(module, unused(module))
  // Their names end in a hash of the package.
  const [create, run] = ['lookups_new_', 'lookups_run_'].map(
    start => exports[Object.keys(exports).find(name => name.startsWith(start))],
  )
  const set = create(REVOKED)
  return interleaved({
    contenders: {
      doorlist: () => {
        if (run(set, LOOKUPS) === 0) throw new Error('of so many handles some are revoked')
      },
    },
    input: () => undefined,
    operations: LOOKUPS,
    rounds: 15,
  })
}

/** What wasm-bindgen imports for the sake of values that do not cross here. */
function unused(module) {
  const imports = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {}
    imports[from][name] = () => {}
  }
  return imports
}
