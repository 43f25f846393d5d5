// Interleaved rounds: in each, every contender has its turn on the same input, and the order moves on by one. What the
// machine does besides then hits all alike, and ratios of medians hold where absolute figures would not. In any runtime.

/**
 * @param {object} options
 * @param {Record<string, (input: unknown) => unknown>} options.contenders what is timed, by name; may be asynchronous
 * @param {(round: number) => unknown} options.input what a round is about, made outside of the timing
 * @param {(input: unknown, name: string) => unknown} [options.own] a contender's own copy of it, made outside of the timing
 * @param {number} options.operations how many operations one turn does; a function of the name where they differ
 * @param {number} options.rounds those that count
 * @param {number} [options.warmup] those before them
 * @returns nanoseconds an operation, by name, as `spread` tells them
 */
export async function interleaved({ contenders, input, own = all => all, operations, rounds, warmup = 2 }) {
  const names = Object.keys(contenders)
  const times = Object.fromEntries(names.map(name => [name, []]))
  const count = typeof operations === 'function' ? operations : () => operations
  for (let round = -warmup; round < rounds; round++) {
    const given = await input(round + warmup)
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round + warmup) % names.length]
      const copy = await own(given, name)
      const begin = performance.now()
      const pending = contenders[name](copy)
      if (pending) await pending
      const took = (performance.now() - begin) * 1e6
      if (round >= 0) times[name].push(took / count(name))
    }
  }
  return Object.fromEntries(names.map(name => [name, spread(times[name])]))
}

/** The least, the middle and the most of one number a round. */
export function spread(numbers) {
  const sorted = Float64Array.from(numbers).sort()
  return { min: sorted[0], median: quantile(sorted, 0.5), max: sorted.at(-1), rounds: [...numbers] }
}

/** How many times `theirs` something of ours is, round by round: what disturbed a round disturbed both. */
export const ratio = (ours, theirs) => spread(ours.rounds.map((took, round) => took / theirs.rounds[round]))

/** The least number that is not below `share` of them; of an even count's middle the mean. */
export function quantile(sorted, share) {
  if (share === 0.5 && sorted.length % 2 === 0) return (sorted[sorted.length / 2 - 1] + sorted[sorted.length / 2]) / 2
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]
}

/** A contender that verifies each of its inputs, and waits only for what answers a promise. */
export const oneAfterAnother = verify => inputs => {
  for (let index = 0; index < inputs.length; index++) {
    const answer = verify(inputs[index])
    if (typeof answer?.then === 'function') return rest(verify, inputs, index + 1, answer)
    if (!answer) throw new Error('a good token was refused')
  }
}

async function rest(verify, inputs, from, first) {
  if (!(await first)) throw new Error('a good token was refused')
  for (let index = from; index < inputs.length; index++) {
    if (!(await verify(inputs[index]))) throw new Error('a good token was refused')
  }
}

/** A string of its own, one flat run of characters, as a header parser makes it. */
export const fresh = buffer => buffer.latin1Slice(0, buffer.length)

export const buffers = strings => strings.map(text => Buffer.from(text, 'latin1'))
