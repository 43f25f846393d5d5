// Runs a step of the set-up and shows its progress, with and without a terminal:
//
//   node tests/setup/progress.mjs packages 'installing wasm-pack' 'Is crates.io reachable?' cargo install wasm-pack
//
// The first argument says which lines of the step are shown: `none`; `packages`: all except the builders'
// reports on single packages; or `all`. After a time without output, a line says how far the step is. If the
// step fails, its last lines are shown, and then the hint.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'

/** Milliseconds without output after which a progress line is shown. */
const SILENCE = 15_000
/** The number of hidden lines that are kept for a failure. */
const KEPT = 30
/** Lines of cargo about one package, and lines of rustup and wasm-pack about one step. */
const REPORT =
  /^\s*(Adding|Blocking|Building|Checking|Compiling|Downloaded|Downloading|Finished|Installed|Installing|Locking|Packaging|Replaced|Replacing|Updating|info:|\[INFO\]:)/
/** Cargo's progress bar, which the environment variables below enable without a terminal too. */
const BAR = /\[[=> -]*\] (\d+)\/(\d+)/

const [shown, step, hint, program, ...args] = process.argv.slice(2)
const started = Date.now()
const kept = []
let [done, total, lastShown] = [0, 0, started]

// Test runners print another format to a terminal than to a pipe, so they get the real output of this process.
const direct = shown === 'all' && process.stdout.isTTY
const child = spawn(program, args, {
  env: { ...process.env, CARGO_TERM_PROGRESS_WHEN: 'always', CARGO_TERM_PROGRESS_WIDTH: '80' },
  stdio: direct ? 'inherit' : ['inherit', 'pipe', 'pipe'],
})
if (!direct) {
  // A carriage return ends a line too, because progress bars use it.
  createInterface({ input: child.stdout }).on('line', line => heed(line, process.stdout))
  createInterface({ input: child.stderr }).on('line', line => heed(line, process.stderr))
}
const ticking = setInterval(() => {
  if (Date.now() - lastShown >= SILENCE) say(`still ${step}: ${progress()}`)
}, 1000)
// The step decides when it ends. A terminal sends SIGINT to both processes.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', error => finish(127, error.message))
child.on('close', (code, signal) => finish(code ?? 128 + constants.signals[signal]))

function heed(line, stream) {
  const bar = BAR.exec(line)
  if (bar) {
    ;[, done, total] = bar
    return
  }
  if (line.trim() === '') return
  if (shown === 'none' || (shown === 'packages' && REPORT.test(line))) {
    kept.push(line)
    kept.splice(0, kept.length - KEPT)
    return
  }
  show(line, stream)
}

function finish(code, reason) {
  clearInterval(ticking)
  if (process.exitCode !== undefined) return // a program that could not be started also emits `close`
  process.exitCode = code
  if (code === 0) return
  for (const line of kept) show(line, process.stderr)
  say(`failed: ${step} (${reason ?? `exit code ${code}`}). ${hint}`, process.stderr)
}

function progress() {
  const seconds = `${Math.round((Date.now() - started) / 1000)} s`
  const parts = total > 0 ? `, ${done} of ${total} parts` : ''
  const last = kept.at(-1)?.trim()
  return `${seconds}${parts}${last ? ` (${last})` : ''}`
}

function say(text, stream = process.stdout) {
  show(`${stream.isTTY ? '\x1b[1mdoorlist\x1b[0m' : 'doorlist'}  ${text}`, stream)
}

function show(line, stream) {
  lastShown = Date.now()
  stream.write(`${line}\n`)
}
