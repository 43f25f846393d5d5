// The script of `make chaos`. Runs the fault stories without load, then the stories under load, and then prints a table
// of the results. The stories under load share the remaining time equally. Exits with 1 if a rule was violated or a
// story failed.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ONE_BY_ONE = [
  'store_faults::',
  'foreign_values::',
  'store_refusals::',
  'clock_steps::',
  'two_issuers::',
  'crash::history::',
]
/** The longest run of a story, in seconds. It is shorter than the lifetime of access tokens (fifteen minutes). */
const LONGEST_SECS = 600

const minutes = Number(process.env.MINUTES || 10)
if (!(minutes > 0)) throw new Error(`MINUTES=${process.env.MINUTES}: write a number of minutes greater than 0`)
const folder = mkdtempSync(join(tmpdir(), 'doorlist-chaos-'))
const tallies = join(folder, 'tallies')

const stories = (args, env = {}, stdio = 'inherit') =>
  spawnSync('cargo', ['test', '--quiet', '--package', 'doorlist', '--test', 'stories', '--', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', stdio, 'inherit'],
    encoding: 'utf8',
  })

const failed = []
const begin = performance.now()
if (stories(ONE_BY_ONE).status !== 0) failed.push('the fault stories without load')

const listed = stories(['crash::', '--skip', 'history::', '--list'], {}, 'pipe')
if (listed.status !== 0) throw new Error('the stories cannot be built')
const underLoad = listed.stdout.split('\n').flatMap(line => /^(\S+): test$/.exec(line)?.[1] ?? [])
const secondsLeft = minutes * 60 - (performance.now() - begin) / 1000
const share = secondsLeft / underLoad.length
// Every token of a story is verified until the story ends, so tokens must not expire before the end of the story. If
// each story has more time than LONGEST_SECS, all stories run several times.
const passes = Math.max(1, Math.ceil(share / LONGEST_SECS))
for (let pass = 0; pass < passes; pass++) {
  for (const name of underLoad) {
    const env = { CHAOS_SECS: String(Math.max(1, Math.round(share / passes))), CHAOS_TALLY: tallies }
    if (stories(['--exact', name, '--nocapture'], env).status !== 0) failed.push(name)
  }
}

const told = existsSync(tallies)
  ? readFileSync(tallies, 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
  : []
rmSync(folder, { recursive: true })
const sums = member => {
  const sum = {}
  for (const story of told) {
    for (const [kind, count] of Object.entries(story[member])) sum[kind] = (sum[kind] ?? 0) + count
  }
  return Object.entries(sum)
}
const violations = told.reduce((sum, story) => sum + story.violations, 0)
const table = (title, rows) => {
  console.log(`\n${title}`)
  for (const [kind, count] of rows) console.log(`  ${String(count).padStart(9)}  ${kind}`)
}
table('acknowledged', sums('acknowledged'))
table('faults injected', sums('faults'))
table('checked', sums('checked'))
table('outcome', [
  [told.length, `histories judged, of ${passes * underLoad.length}`],
  [violations, 'violations'],
  [failed.length, 'stories that failed'],
])
for (const name of failed) console.log(`  failed: ${name}`)
console.log(`\n${((performance.now() - begin) / 60_000).toFixed(1)} minutes`)
process.exitCode = violations > 0 || failed.length > 0 || told.length < passes * underLoad.length ? 1 : 0
