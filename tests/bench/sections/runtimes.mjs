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
      'One script, the same tokens and lists, contenders interleaved within each runtime; medians, and the least and the most. ' +
      'fast-jwt loads in neither workerd nor Chromium. WebCrypto checks a bare signature. workerd stops its clocks while a ' +
      'request runs: its rounds are timed by whoever asks for them over HTTP on loopback, less the median of rounds in which ' +
      'nothing is done, so short rounds are the least certain. Its module was compiled when the process started, before the first verification is counted.',
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
