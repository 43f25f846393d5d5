// The sizes of the measurements, for the contests and for their world.

/** The number of live tokens. */
export const LIVE = 20_000

/**
 * The calls, deltas or lookups of one round. A round takes several ms, so that it can be distinguished from an
 * HTTP request.
 */
export const SIZES = {
  cold: { calls: 250, rounds: 9, warmup: 2 },
  warm: { calls: 10_000, rounds: 11, warmup: 2 },
  'large list': { deltas: 100, lookups: 200_000, rounds: 7, warmup: 1 },
}
