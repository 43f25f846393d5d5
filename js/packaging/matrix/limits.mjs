// Each step of the matrix has a time limit. If a step exceeds its limit, the error names the step.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import process from 'node:process'
import { stripVTControlCharacters } from 'node:util'

/**
 * The maximum number of milliseconds for one step. On a slow machine, an installation or a build takes three minutes.
 */
export const LIMIT_MS = 300_000
/** The maximum number of milliseconds until a server has started, a kick has arrived, or a page has shown the kick. */
export const PAGE_LIMIT_MS = 60_000

/**
 * Returns the result of `act`. Throws an error that names the step if the time limit passes first.
 * @template T
 * @param {string} step
 * @param {(signal: AbortSignal) => Promise<T>} act must stop its work when the signal is aborted
 */
export async function within(step, act, limit = LIMIT_MS) {
  const over = new AbortController()
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`${step}: not done within ${limit / 1000} s`)
      reject(error)
      over.abort(error)
    }, limit)
  })
  try {
    return await Promise.race([act(over.signal), late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Runs a program and returns its output. The program has no standard input, so it cannot wait for input. Some tools
 * print colours with `CI=1`; the colours are removed from the output.
 */
export async function ran(program, args, cwd, env = {}, limit = LIMIT_MS) {
  const command = `\`${[basename(program), ...args].join(' ')}\``
  // The program gets its own process group, and the whole group is killed. Otherwise a child of a killed build could
  // keep the pipes open.
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const printed = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'])
    child[stream].setEncoding('utf8').on('data', text => (printed[stream] += stripVTControlCharacters(text)))
  const kill = () => process.kill(-child.pid, 'SIGKILL')
  try {
    const ended = signal => {
      signal.addEventListener('abort', kill)
      return once(child, 'close')
    }
    const [code, killed] = await within(command, ended, limit)
    if (code !== 0) throw new Error(`${command} ended with ${code ?? killed}`)
    return printed.stdout
  } catch (error) {
    error.message += `\n${printed.stderr}`
    throw Object.assign(error, printed)
  }
}
