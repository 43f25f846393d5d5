// Interleaved rounds: in each round every contender gets one turn with the same input, and the order rotates by one.
// Other load on the machine then affects all contenders alike, so ratios of medians are stable when absolute figures
// are not. This module works in any runtime.

/**
 * @param {object} options
 * @param {Record<string, (input: unknown) => unknown>} options.contenders the timed functions by name; may be
 * asynchronous
 * @param {(round: number) => unknown} options.input makes the input of a round; not timed
 * @param {(input: unknown, name: string) => unknown} [options.own] makes a contender's own copy of the input;
 * not timed
 * @param {number} options.operations operations per turn; a function of the name if they differ
 * @param {number} options.rounds the rounds that count
 * @param {number} [options.warmup] the rounds before them
 * @returns nanoseconds per operation, by name, in the form of `spread`
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

/** The minimum, median and maximum of one number per round. */
export function spread(numbers) {
  const sorted = Float64Array.from(numbers).sort()
  return { min: sorted[0], median: quantile(sorted, 0.5), max: sorted.at(-1), rounds: [...numbers] }
}

/** The time of `ours` divided by the time of `theirs`, per round. A disturbance affects both in the same round. */
export const ratio = (ours, theirs) => spread(ours.rounds.map((took, round) => took / theirs.rounds[round]))

/**
 * The quantile `share` (0.5 is the median): the first number of the ascending list at which this share of the list is
 * reached. The median of an even count is the mean of the two middle numbers.
 */
export function quantile(sorted, share) {
  if (share === 0.5 && sorted.length % 2 === 0) return (sorted[sorted.length / 2 - 1] + sorted[sorted.length / 2]) / 2
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]
}

/** A contender that verifies each of its inputs, and awaits only answers that are promises. */
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

/** A new flat string, as a header parser makes it. */
export const fresh = buffer => buffer.latin1Slice(0, buffer.length)

export const buffers = strings => strings.map(text => Buffer.from(text, 'latin1'))
