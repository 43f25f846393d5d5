// Measures several contenders in interleaved rounds. In each round every contender gets one turn with the same input.
// The order of the turns changes from round to round. So other load on the machine affects all contenders equally. The
// ratios of the medians are then stable, even if the absolute figures are not. This module works in any runtime.

/**
 * @param {object} options
 * @param {Record<string, (input: unknown) => unknown>} options.contenders the functions to measure, by name; they may
 * be asynchronous
 * @param {(round: number) => unknown} options.input creates the input of a round; its time is not measured
 * @param {(input: unknown, name: string) => unknown} [options.own] creates a contender's own copy of the input; its
 * time is not measured
 * @param {number} options.operations the number of operations in one turn, or a function of the contender's name
 * @param {number} options.rounds the number of measured rounds
 * @param {number} [options.warmup] the number of earlier rounds, which are not measured
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

/** Returns the minimum, median and maximum of some numbers, one from each round. */
export function spread(numbers) {
  const sorted = Float64Array.from(numbers).sort()
  return { min: sorted[0], median: quantile(sorted, 0.5), max: sorted.at(-1), rounds: [...numbers] }
}

/**
 * For each round, divides the time of `ours` by the time of `theirs`. A disturbance in a round affects both times, so
 * the result stays nearly the same.
 */
export const ratio = (ours, theirs) => spread(ours.rounds.map((took, round) => took / theirs.rounds[round]))

/**
 * Returns a quantile of an ascending list. `share` is the fraction of the numbers that are not above the result. For
 * example, 0.5 gives the median. If the list has an even length, the median is the mean of the two middle numbers.
 */
export function quantile(sorted, share) {
  if (share === 0.5 && sorted.length % 2 === 0) return (sorted[sorted.length / 2 - 1] + sorted[sorted.length / 2]) / 2
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]
}

/**
 * Returns a contender that verifies its inputs one after another. If a result is a promise, the contender awaits the
 * promise.
 */
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

/** Returns a new flat string, like the strings that a header parser creates. */
export const fresh = buffer => buffer.latin1Slice(0, buffer.length)

export const buffers = strings => strings.map(text => Buffer.from(text, 'latin1'))
