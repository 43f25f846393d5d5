// Draws comments and messages, without the code, for a reader who has not seen the code (CONTRIBUTING.md, "Writing").
//
//   node tests/language/sample.mjs issuer/src [--count 100] [--seed 1]
//
// With the same seed, this program draws the same texts from the same tree.
import { parseArgs } from 'node:util'
import { saidIn, sourcesIn } from './comments.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' } },
})
const all = (await Promise.all(sourcesIn(...positionals).map(saidIn))).flat()
const random = mulberry32(Number(values.seed))
for (const [number, { path, line, text }] of drawn(all, Number(values.count)).entries())
  console.log(`## ${number + 1} (${path}:${line})\n${text}\n`)

/** Draws `count` entries, and returns them in the order of the tree. */
function drawn(all, count) {
  const order = all.map((_, index) => ({ index, key: random() })).sort((a, b) => a.key - b.key)
  return order
    .slice(0, count)
    .sort((a, b) => a.index - b.index)
    .map(({ index }) => all[index])
}

/** Returns a generator of random numbers in [0, 1). The same seed gives the same numbers. */
function mulberry32(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
