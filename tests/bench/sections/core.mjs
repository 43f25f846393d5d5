// The report of the Rust core.
import { cell, duration } from '../lib/report.mjs'
import { core } from '../rows/core.mjs'

async function coreSection() {
  return {
    title: 'The Rust core, natively',
    text:
      "Criterion's benches (`tests/bench/core`) measure the core in native code, as the issuer uses it. The figures are " +
      'medians, with the minimum and the maximum of 20 samples. A token is checked against a list of 10,000 handles.',
    tables: [
      { head: ['', 'median'], rows: Object.entries(await core()).map(([name, took]) => [name, cell(took, duration)]) },
    ],
    goals: [],
  }
}

export const coreSections = { core: coreSection }
