// `make fuzz`: runs each fuzz target for some seconds, and counts the executions.
//
//   node tests/fuzz/fuzz.mjs CARGO_FUZZ [--seconds 60] [--target token]
//
// The inputs that libFuzzer finds are kept in tests/fuzz/corpus/, so that the next run continues where this one ended.
// A finding is in tests/fuzz/artifacts/.
import { spawn, spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { seed } from './seeds.mjs'

const folder = fileURLToPath(new URL('.', import.meta.url))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' }, target: { type: 'string' } },
})
const [cargoFuzz] = positionals
/** The targets, with the features that they need. */
const TARGETS = Object.fromEntries(
  [
    ...readFileSync(join(folder, 'Cargo.toml'), 'utf8').matchAll(
      /\[\[bin\]\]\nname = "(\w+)"\n.*\n(required-features)?/g,
    ),
  ].map(([, name, features]) => [name, features ? ['--features', 'issuer'] : []]),
)
/** The longest input of a target, in bytes: a bit above the longest that the code accepts, where that is short. */
const LONGEST = {
  claims: 4096,
  cursor: 64,
  differential: 6000,
  http_request: 20_000,
  json: 4096,
  key_set: 8192,
  list_payload: 16_384,
  refresh_token: 512,
  saved_state: 8192,
  token: 9000,
}
/** A line of libFuzzer about its progress. */
const PULSE = /^#(\d+)\s.*cov: (\d+).*exec\/s: (\d+)/
/** After this many milliseconds, one line says how far a target is. */
const SILENCE = 15_000

const chosen = values.target ? values.target.split(',') : Object.keys(TARGETS)
const unknown = chosen.filter(target => !(target in TARGETS))
if (unknown.length > 0) {
  console.error(`There is no fuzz target ${unknown.join(', ')}: choose from ${Object.keys(TARGETS).join(', ')}.`)
  process.exit(1)
}
let total = 0
for (const target of chosen) {
  seed(target)
  const { executions, failed } = await fuzzed(target)
  total += executions
  say(`${target}: ${executions} executions${failed ? ', FAILED' : ', no finding'}`)
  if (failed) process.exitCode = 1
}
say(`${total} executions in all`)

function fuzzed(target) {
  const corpus = join(folder, 'corpus', target)
  mkdirSync(corpus, { recursive: true })
  const options = ['--fuzz-dir', folder, '-s', 'none', ...TARGETS[target]]
  const built = spawnSync(cargoFuzz, ['build', ...options, target], { stdio: 'inherit' })
  if (built.status !== 0) process.exit(built.status ?? 1)
  const limits = [`-max_total_time=${values.seconds}`, '-timeout=20', '-rss_limit_mb=2048', '-print_final_stats=1']
  const longest = target in LONGEST ? [`-max_len=${LONGEST[target]}`] : []
  const fuzzer = spawn(cargoFuzz, ['run', ...options, target, corpus, '--', ...limits, ...longest], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let [executions, shown, kept] = [0, Date.now(), []]
  createInterface({ input: fuzzer.stderr }).on('line', line => {
    kept = [...kept.slice(-60), line]
    const pulse = PULSE.exec(line)
    if (pulse) executions = Math.max(executions, Number(pulse[1]))
    const final = /^stat::number_of_executed_units:\s*(\d+)/.exec(line)
    if (final) executions = Number(final[1])
    if (pulse && Date.now() - shown > SILENCE) {
      shown = Date.now()
      say(`${target}: ${pulse[1]} executions, ${pulse[2]} places reached, ${pulse[3]} a second`)
    }
  })
  return new Promise(resolve =>
    fuzzer.on('close', code => {
      if (code !== 0) console.error(kept.join('\n'))
      appendFileSync(
        join(folder, 'corpus', 'runs.tsv'),
        `${new Date().toISOString()}\t${target}\t${executions}\t${code}\n`,
      )
      resolve({ executions, failed: code !== 0 })
    }),
  )
}

function say(text) {
  console.log(`doorlist  ${text}`)
}
