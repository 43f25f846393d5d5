// The report of the Rust core.
import { cell, duration } from '../lib/report.mjs'
import { core } from '../rows/core.mjs'

async function coreSection() {
  return {
    title: 'The Rust core, natively',
    text:
      "Criterion's benches (`tests/bench/core`), as the issuer uses the core; medians, and the least and the most of 20 samples. " +
      'A token is checked against a list of 10,000 handles.',
    tables: [
      { head: ['', 'median'], rows: Object.entries(await core()).map(([name, took]) => [name, cell(took, duration)]) },
    ],
    goals: [],
  }
}

export const coreSections = { core: coreSection }
