// Creates the tokens and lists of the contests, as plain JSON that every runtime can read.
import { WORLD, handle, list, sample, shuffled, tokens } from '../lib/world.mjs'
import { LIVE, SIZES } from './sizes.mjs'

const SESSIONS = { list: 1_000_000, large: 100_000_000 }
const REVOKED = { list: 10_000, large: 1_000_000 }

let made

/** Creating the world takes some seconds, so it is created only once. */
export const theWorld = () => (made ??= makeWorld())

async function makeWorld() {
  const rounds = SIZES.warm.rounds + SIZES.warm.warmup
  const indexes = Array.from({ length: LIVE }, (_, index) => index)
  return {
    ...WORLD,
    tokens: await tokens(LIVE),
    orders: Array.from({ length: rounds }, (_, round) => shuffled(indexes, round).slice(0, SIZES.warm.calls)),
    list: await snapshot('list'),
    deltas: await deltas(1, rounds, REVOKED.list, SESSIONS.list),
    large: await snapshot('large'),
    largeDeltas: {
      'delta of 1': await deltas(1, largeDeltas, REVOKED.large, SESSIONS.large),
      'delta of 100': await deltas(100, largeDeltas, REVOKED.large, SESSIONS.large),
    },
  }
}

const largeDeltas = SIZES['large list'].deltas * (SIZES['large list'].rounds + SIZES['large list'].warmup)

const snapshot = which => list(Array.from(sample(REVOKED[which], SESSIONS[which]), handle), { seq: REVOKED[which] })

/** Returns `count` deltas with `size` handles each. The first delta continues from the sequence number `seq`. */
async function deltas(size, count, seq, sessions) {
  const handles = shuffled(sample(size * count, sessions), size)
  const made = []
  for (let index = 0; index < count; index++) {
    const revoked = handles.slice(index * size, (index + 1) * size).sort((a, b) => a - b)
    const since = seq + index * size
    made.push(await list(revoked.map(handle), { seq: since + size, since }))
  }
  return made
}
