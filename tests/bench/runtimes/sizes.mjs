// How much is measured, for the contests and for the world that they take place in.

/** Tokens that are live at a time. */
export const LIVE = 20_000

/** A round of `calls`, `deltas` or `lookups`. Where a round must be told from a request over HTTP it takes several ms. */
export const SIZES = {
  cold: { calls: 250, rounds: 9, warmup: 2 },
  warm: { calls: 10_000, rounds: 11, warmup: 2 },
  'large list': { deltas: 100, lookups: 200_000, rounds: 7, warmup: 1 },
}
