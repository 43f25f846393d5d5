// Runs a step of the set-up, and shows its progress in a terminal or in a pipe:
//
//   node tests/setup/progress.mjs packages 'installing wasm-pack' 'Is crates.io reachable?' cargo install wasm-pack
//
// The first argument says which lines of the step are shown:
// - `all`: all lines.
// - `packages`: all lines, except the reports of cargo and other builders about single packages.
// - `none`: no lines.
//
// After a time without output, a line says how far the step is. If the step fails, its last lines and the hint are
// shown. The hint is the third argument.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'

/** A progress line is shown after this many milliseconds without output. */
const SILENCE = 15_000
/** This many hidden lines are kept. They are shown if the step fails. */
const KEPT = 30
/** Matches lines of cargo about a single package, and lines of rustup and wasm-pack about a single step. */
const REPORT =
  /^\s*(Adding|Blocking|Building|Checking|Compiling|Downloaded|Downloading|Finished|Installed|Installing|Locking|Packaging|Replaced|Replacing|Updating|info:|\[INFO\]:)/
/**
 * Matches the progress bar of cargo. With the environment variables below, cargo prints the bar even without a
 * terminal.
 */
const BAR = /\[[=> -]*\] (\d+)\/(\d+)/

const [shown, step, hint, program, ...args] = process.argv.slice(2)
const started = Date.now()
const kept = []
let [done, total, lastShown] = [0, 0, started]

// A test runner uses one format for a terminal, and another format for a pipe. So the test runner gets the terminal of
// this process.
const direct = shown === 'all' && process.stdout.isTTY
const child = spawn(program, args, {
  env: { ...process.env, CARGO_TERM_PROGRESS_WHEN: 'always', CARGO_TERM_PROGRESS_WIDTH: '80' },
  stdio: direct ? 'inherit' : ['inherit', 'pipe', 'pipe'],
})
if (!direct) {
  // The stream is split at carriage returns too, because progress bars end their lines with a carriage return.
  createInterface({ input: child.stdout }).on('line', line => heed(line, process.stdout))
  createInterface({ input: child.stderr }).on('line', line => heed(line, process.stderr))
}
const ticking = setInterval(() => {
  if (Date.now() - lastShown >= SILENCE) say(`still ${step}: ${progress()}`)
}, 1000)
// Passes the signal on to the step. This process ends when the step has ended. A terminal sends SIGINT to both
// processes itself.
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
