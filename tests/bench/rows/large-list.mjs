// A list of 1,000,000 handles: loading it, what a lookup in it adds to a verification, and small deltas onto it.
import { verifierWith } from '../lib/doorlist.mjs'
import { buffers, fresh, interleaved, spread } from '../lib/measure.mjs'
import { handle, list, sample, tokens } from '../lib/world.mjs'

const REVOKED = 1_000_000
const SESSIONS = 100_000_000
const TOKENS = 400

export async function largeList() {
  const large = await list(Array.from(sample(REVOKED, SESSIONS), handle), { seq: REVOKED })
  return { load: await load(large), deltas: await deltas(large), lookup: await lookup(large) }
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

/**
 * Two verifiers, the same tokens that both have seen, one list with a handle and one with a million, both just changed so that
 * every token is looked up again: half the difference is one lookup (a token has two handles).
 */
async function lookup(large) {
  const [rounds, warmup] = [25, 3]
  const seen = buffers(await tokens(TOKENS))
  const small = await list([handle(1)], { seq: 1 })
  const held = {
    small: { verifier: verifierWith([small]), seq: 1 },
    large: { verifier: verifierWith([large]), seq: REVOKED },
  }
  const changes = {}
  for (const [name, { seq }] of Object.entries(held)) {
    changes[name] = []
    for (let round = 0; round < rounds + warmup; round++) {
      changes[name].push(await list([handle(SESSIONS + round)], { seq: seq + round + 1, since: seq + round }))
    }
  }
  const all = name => strings => {
    for (const token of strings) held[name].verifier.verify(token)
  }
  return interleaved({
    contenders: { small: all('small'), large: all('large') },
    input: round => round,
    own: (round, name) => {
      held[name].verifier.load(changes[name][round])
      return seen.map(fresh)
    },
    operations: TOKENS,
    rounds,
    warmup,
  })
}
