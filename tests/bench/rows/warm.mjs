// Tokens that were all seen before: 20,000 live ones in random order, each a new string as a header parser makes it.
import { verifierWith } from '../lib/doorlist.mjs'
import { buffers, fresh, interleaved } from '../lib/measure.mjs'
import { cachingFastJwt } from '../lib/peers.mjs'
import { handle, list, sample, shuffled, tokens } from '../lib/world.mjs'

const LIVE = 20_000
/** Both caches hold every live token, and some more. */
const CACHE = 32_768
const CALLS = 5_000
const ROUNDS = 13
const WARMUP = 2

export async function warm() {
  const live = buffers(await tokens(LIVE))
  const revoked = Array.from(sample(10_000, 1_000_000), handle)
  const snapshot = await list(revoked, { seq: revoked.length })
  const verifiers = {
    steady: verifierWith([snapshot], { cacheSize: CACHE }),
    changing: verifierWith([snapshot], { cacheSize: CACHE }),
  }
  const fastJwt = await cachingFastJwt(CACHE)
  for (const token of live) {
    for (const verifier of Object.values(verifiers)) verifier.verify(fresh(token))
    fastJwt(fresh(token))
  }
  const deltas = []
  for (let round = 0; round < WARMUP + ROUNDS; round++) {
    const seq = revoked.length + round
    deltas.push(await list([handle(1_000_001 + round)], { seq: seq + 1, since: seq }))
  }

  const each =
    verify =>
    ({ order }) => {
      for (let index = 0; index < CALLS; index++) verify(fresh(order[index]))
    }
  return interleaved({
    contenders: {
      doorlist: each(token => verifiers.steady.verify(token)),
      'doorlist, list just changed': each(token => verifiers.changing.verify(token)),
      'fast-jwt, its cache': each(fastJwt),
      'the string alone': each(token => token),
    },
    input: round => ({ order: shuffled(live, round).slice(0, CALLS), delta: deltas[round] }),
    own: (input, name) => {
      if (name.endsWith('changed')) verifiers.changing.load(input.delta)
      return input
    },
    operations: CALLS,
    rounds: ROUNDS,
    warmup: WARMUP,
  })
}
