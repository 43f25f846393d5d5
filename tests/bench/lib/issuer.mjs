// Starts the issuer and the load generator.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { startIssuer } from '../../../js/demo/issuer.mjs'
import { fromRoot } from './doorlist.mjs'

export const BINARY = process.env.DOORLIST_BINARY ?? fromRoot('target/release/doorlist')
const LOAD = process.env.DOORLIST_LOAD ?? fromRoot('tests/bench/load/target/release/doorlist-load')

/** Runs `measure` with an issuer on a new store. Then removes the issuer and the store. */
export async function withIssuer(args, measure) {
  const issuer = await startIssuer({ binary: BINARY, args: ['--log', 'error', '--max-per-address', '65536', ...args] })
  try {
    return await measure(issuer)
  } finally {
    await issuer.remove()
  }
}

export const addressOf = issuer => new URL(issuer.url).host

/** Runs the load generator with requests to the admin API. Returns its report. */
export const adminLoad = (command, issuer, ...args) =>
  load([command, addressOf(issuer), issuer.adminKey, ...args.map(String)])

/**
 * Runs the load generator, and returns its report. When the load generator says that it is ready, calls `ready` and
 * waits for its result.
 */
export async function load(args, ready) {
  const child = spawn(LOAD, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  let report
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== 'ready') {
      report = JSON.parse(line)
      continue
    }
    await ready()
    child.stdin.write('go\n')
  }
  if (!report) throw new Error(`doorlist-load ${args[0]} gave up`)
  return report
}

export const fanOut = (issuer, subscribers, kicks, ready) =>
  load(['fan-out', addressOf(issuer), issuer.adminKey, String(subscribers), String(kicks)], ready)

/** Returns the number of bytes of resident memory that Linux reports for a process. */
export function resident(pid) {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(kilobytes) * 1024
}
