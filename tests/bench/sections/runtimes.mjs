// The report of the contests that run in every runtime. It has no goals, because the goals apply only to Node.
import { ratio, spread } from '../lib/measure.mjs'
import { cell, duration, microseconds, milliseconds, times } from '../lib/report.mjs'
import { CHANGED, FAST_JWT, FORGETFUL, RECHECKED } from '../runtimes/contests.mjs'
import { runtimes, withFolder } from '../runtimes/launch.mjs'

const ROUNDS_OF_FIRST = 5

async function runtimesSection(progress) {
  const rows = await withFolder(async folder => {
    const measured = []
    for (const [name, runtime] of Object.entries(runtimes)) {
      progress(name)
      const version = await runtime.version(folder)
      measured.push({
        name: `${name} ${version}`,
        ...(await runtime.measure(folder)),
        first: await firstOf(runtime, folder),
      })
    }
    return measured
  })
  return {
    title: 'Every runtime',
    text:
      'One script runs in every runtime, with the same tokens and lists, and the contenders are interleaved within each ' +
      'runtime. The figures are medians, with the minimum and the maximum. fast-jwt can be loaded neither in workerd ' +
      'nor in Chromium. WebCrypto checks only the signature. workerd stops its clocks while a request runs. So the ' +
      'client, which requests the rounds over HTTP on loopback, measures them and subtracts the median of rounds that ' +
      'do nothing; short rounds are therefore the least certain. The module in workerd is compiled when the process ' +
      'starts, so the first verification does not include the compilation.',
    tables: [
      table('cold', rows, microseconds, ['doorlist', 'jose', 'fast-jwt', 'WebCrypto'], 'jose'),
      table(
        'warm',
        rows,
        microseconds,
        ['doorlist', CHANGED, RECHECKED, FORGETFUL, FAST_JWT, 'the string alone'],
        FAST_JWT,
      ),
      table('first', rows, milliseconds, ['doorlist', 'jose', 'fast-jwt'], 'jose'),
      table('large list', rows, duration, ['load', 'delta of 1', 'delta of 100', 'lookup']),
    ],
    goals: [],
  }
}

async function firstOf(runtime, folder) {
  const names = ['doorlist', 'jose', ...(runtime.hasFastJwt ? ['fast-jwt'] : [])]
  const took = Object.fromEntries(names.map(name => [name, []]))
  for (let round = 0; round < ROUNDS_OF_FIRST; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round) % names.length]
      took[name].push(await runtime.first(folder, name))
    }
  }
  return Object.fromEntries(names.map(name => [name, spread(took[name])]))
}

/**
 * Returns a table with one row for each runtime. If `against` names a contender, the last column divides Doorlist's
 * time by the time of this contender.
 */
const table = (contest, rows, show, names, against) => ({
  head: [contest, ...names, ...(against ? [`doorlist / ${against}`] : [])],
  rows: rows.map(({ name, [contest]: took }) => [
    name,
    ...names.map(one => (took[one] ? cell(took[one], show) : '–')),
    ...(against ? [took[against] ? times(ratio(took.doorlist, took[against]).median) : '–'] : []),
  ]),
})

export const runtimeSections = { runtimes: runtimesSection }
