// The script of `make attack`. One client floods a real issuer. Meanwhile other clients send requests, and operators
// kick users. Prints how long these requests take without and during the flood, and how the flood was answered.
//
// The issuer runs on one processor; the flood and the other clients run on another processor, if there are two. Each
// flood also runs against a server that does nothing: its times show what the flood costs the clients' own processor.
// Exits with 1 if a request of another client was not answered.
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startIssuer } from '../../js/demo/issuer.mjs'
import { CLIENT, FLOODER } from './addresses.mjs'
import { Probes } from './probes.mjs'

const BINARY = process.env.DOORLIST_BINARY ?? fileURLToPath(new URL('../../target/release/doorlist', import.meta.url))
const SCRIPT = name => fileURLToPath(new URL(name, import.meta.url))
/** The number of requests of each kind, without the flood and during the flood. */
const ROUNDS = Number(process.env.ROUNDS || 200)
const FLOODS = [
  {
    name: '20,000 connections, each with a stream; 1,024 open files',
    kind: 'streams',
    connections: 20_000,
    files: 1024,
  },
  {
    name: '20,000 connections, each with a stream; 20,000 open files',
    kind: 'streams',
    connections: 20_000,
    files: 20_000,
  },
  { name: '500 connections, each with wrong logins', kind: 'logins', connections: 500, files: 20_000 },
]

const folder = mkdtempSync(join(tmpdir(), 'doorlist-attack-'))
const isPinned = process.platform === 'linux' && pin(process.pid, 1)
let unanswered = 0
try {
  console.log(`The flood comes from ${FLOODER}, the other clients are at ${CLIENT}.`)
  if (!isPinned) console.log('The processes share all processors, because taskset or a second processor is missing.')
  for (const flood of FLOODS) {
    console.log(`\n${flood.name}`)
    await underFlood(flood)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = unanswered > 0 ? 1 : 0

async function underFlood(flood) {
  const issuer = await startIssuer({ binary: limitedTo(flood.files), args: ['--log', 'error'] })
  const idle = fork(SCRIPT('null-server.mjs'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  try {
    const [{ port }] = await once(idle, 'message')
    if (isPinned) pin(idle.pid, 0)
    const probes = await Probes.of(issuer, flood.kind)
    const nothing = Probes.ofNothing(port)
    const rows = []
    rows.push(...(await probes.run(ROUNDS)), ...(await nothing.run(ROUNDS)))
    const during = async (target, targets) => {
      const flooding = fork(SCRIPT('flood.mjs'), [flood.kind, String(flood.connections), String(target)])
      try {
        await once(flooding, 'message')
        const measured = await targets.run(ROUNDS)
        flooding.send('report')
        const [answers] = await once(flooding, 'message')
        return { measured, answers }
      } finally {
        flooding.kill()
      }
    }
    const ours = await during(new URL(issuer.url).port, probes)
    const theirs = await during(port, nothing)
    print(rows, [...ours.measured, ...theirs.measured])
    console.log(`  answers to the flood: ${summary(ours.answers)}`)
  } finally {
    idle.kill()
    await issuer.remove()
  }
}

function print(before, during) {
  const ms = value => value.toFixed(1).padStart(8)
  console.log('  milliseconds                    idle p50      p99   flood p50      p99   p99 ratio  answered')
  for (const [index, { name, times, failures }] of during.entries()) {
    const [quiet, loud] = [before[index].times, times].map(times => [quantile(times, 0.5), quantile(times, 0.99)])
    const sent = times.length + failures.length
    unanswered += failures.length
    console.log(
      `  ${name.padEnd(30)} ${ms(quiet[0])} ${ms(quiet[1])}    ${ms(loud[0])} ${ms(loud[1])}    ${ms(loud[1] / quiet[1])}   ${times.length}/${sent}`,
    )
    for (const failure of new Set(failures)) console.log(`    not answered: ${failure}`)
  }
}

function quantile(times, share) {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

function summary(answers) {
  return Object.entries(answers)
    .sort(([, a], [, b]) => b - a)
    .map(([answer, count]) => `${count.toLocaleString('en')} × ${answer}`)
    .join(', ')
}

/** Returns the path of a program that starts the issuer with this limit of open files, on the first processor. */
function limitedTo(files) {
  const path = join(folder, `doorlist-${files}`)
  const pinned = isPinned ? 'taskset -c 0 ' : ''
  writeFileSync(path, `#!/bin/sh\nulimit -n ${files} && exec ${pinned}"${BINARY}" "$@"\n`)
  chmodSync(path, 0o755)
  return path
}

/** Binds a process and its future children to one processor. Returns whether that was possible. */
function pin(pid, processor) {
  try {
    execFileSync('taskset', ['-a', '-c', '-p', String(processor), String(pid)], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
