// `make bare`: runs the first command of the README on systems that have only the software that the README requires.
// All caches are empty. There are two runs:
// - `hidden`: there is no package manager, and all optional programs are hidden.
// - `root`: a fresh Debian with a working apt-get.
//
//   node tests/setup/bare.mjs [hidden] [root] [-- targets of make other than `demo ONCE=1`]
//
// With REUSE=1, a run uses wasm-pack, wasm-bindgen and the debug build of the issuer from this machine.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The maximum number of seconds without a line of output. */
const SILENCE = 30
const script = name => fileURLToPath(new URL(name, import.meta.url))

const runs = {
  async hidden(targets) {
    const folder = await mkdtemp(join(tmpdir(), 'doorlist-bare-'))
    try {
      await promisify(execFile)(script('clone.sh'), [join(folder, 'clone')])
      const { CARGO_TARGET_DIR = script('../../target'), REUSE, ...env } = process.env
      const make = ['make', '--no-print-directory', '-C', join(folder, 'clone')]
      const caches = { CARGO_HOME: join(folder, 'cargo'), npm_config_cache: join(folder, 'npm') }
      const built = REUSE
        ? { DOORLIST_BINARY: join(CARGO_TARGET_DIR, 'debug/doorlist') }
        : { XDG_CACHE_HOME: join(folder, 'cache') }
      if (REUSE) make.push('--old-file=issuer')
      return await watch(script('hidden.sh'), [...make, ...targets], { ...env, ...caches, ...built })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
  root: targets => watch(script('fresh-root.sh'), targets, process.env),
}
/**
 * The text about the browser that the demo must print. In the run `hidden` no browser can be installed, so the demo
 * leaves the browser out. In the run `root` a browser is installed, and the verifier in this browser refuses the token.
 */
const BROWSER = { hidden: /browser \(Chromium\) is left out/, root: /Chromium \(stream\) refuses/ }

const split = process.argv.indexOf('--')
const names = process.argv.slice(2, split < 0 ? undefined : split)
const targets = split < 0 ? ['demo', 'ONCE=1'] : process.argv.slice(split + 1)
for (const name of names.length > 0 ? names : Object.keys(runs)) {
  console.log(`\n== ${name}: make ${targets.join(' ')}`)
  const { code, seconds, lines, longest } = await runs[name](targets)
  const faults = [
    code !== 0 && `ended with ${code}`,
    longest.seconds > SILENCE && `was silent for ${longest.seconds} s, after: ${longest.line}`,
    ...lines.filter(line => /\bwarn(ing)?\b|^npm notice|^[WE]: /i.test(line)).map(line => `warned: ${line}`),
    split < 0 && !lines.some(line => BROWSER[name].test(line)) && `does not say ${BROWSER[name]}`,
    split < 0 && !lines.some(line => /^ *Next: /.test(line)) && 'does not say what to do next',
  ].filter(Boolean)
  for (const fault of faults) console.error(`✗ ${name} ${fault}`)
  console.log(`== ${name}: ${Math.round(seconds)} s, longest silence ${longest.seconds} s`)
  if (faults.length > 0) process.exitCode = 1
}

/** Runs a program. Prints each line of its output with the elapsed seconds, and finds the longest silence. */
async function watch(program, args, env) {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal))
  const [started, lines, longest] = [Date.now(), [], { seconds: 0 }]
  let last = started
  const heed = line => {
    const seconds = Math.round((Date.now() - last) / 1000)
    if (seconds > longest.seconds) Object.assign(longest, { seconds, line: lines.at(-1) })
    last = Date.now()
    lines.push(line)
    console.log(`${String(Math.round((last - started) / 1000)).padStart(4)} s  ${line}`)
  }
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', heed)
  const [code] = await once(child, 'close')
  return { code, seconds: (Date.now() - started) / 1000, lines, longest }
}
