// The number of tokens, calls and rounds in the contests.

/** The number of live tokens. */
export const LIVE = 20_000

/**
 * The number of calls, deltas or lookups in one round. A round takes several milliseconds, so that the time of the
 * round can be distinguished from the time of an HTTP request.
 */
export const SIZES = {
  cold: { calls: 250, rounds: 9, warmup: 2 },
  warm: { calls: 10_000, rounds: 11, warmup: 2 },
  'large list': { deltas: 100, lookups: 200_000, rounds: 7, warmup: 1 },
}
