// Measures refreshes per second with 64 clients. Every refresh rotates. The issuer uses its embedded store, and syncs
// each refresh to disk before the issuer answers. oidc-provider runs in memory twice: with its own adapter, and with
// the simplest possible adapter. The same load program measures all three contenders in turn.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { addressOf, load, withIssuer } from '../lib/issuer.mjs'
import { spread } from '../lib/measure.mjs'

const CLIENTS = 64
const SECONDS = 2
const ROUNDS = 5
export const OWN = 'oidc-provider, its own memory'
export const PLAIN = 'oidc-provider, a plain Map'

/** Returns the refreshes per second of each contender, and the p50 and p99 of its rounds in nanoseconds. */
export async function refreshes() {
  const folder = await mkdtemp(join(tmpdir(), 'doorlist-bench-'))
  const providers = { [OWN]: await startOidcProvider('own'), [PLAIN]: await startOidcProvider('plain') }
  try {
    return await withIssuer(['--refresh-grace-secs', '0'], async issuer => {
      const file = name => join(folder, name)
      await writeFile(file('doorlist'), lines(await sessions(issuer)))
      const targets = { doorlist: [addressOf(issuer), '/token', 'web'] }
      for (const [name, { address, path, client, refreshTokens }] of Object.entries(providers)) {
        await writeFile(file(name), lines(refreshTokens))
        targets[name] = [address, path, client]
      }
      const reports = Object.fromEntries(Object.keys(targets).map(name => [name, []]))
      for (let round = -1; round < ROUNDS; round++) {
        for (const [name, target] of Object.entries(targets)) {
          const report = await load(['refresh', ...target, file(name), String(SECONDS)])
          if (round >= 0) reports[name].push(report)
        }
      }
      return Object.fromEntries(Object.entries(reports).map(([name, rounds]) => [name, summary(rounds)]))
    })
  } finally {
    for (const provider of Object.values(providers)) await provider.stop()
    await rm(folder, { recursive: true })
  }
}

const lines = texts => texts.map(text => `${text}\n`).join('')

const summary = rounds => ({
  perSecond: spread(rounds.map(({ per_second }) => per_second)),
  p50: spread(rounds.map(({ p50_ms }) => p50_ms * 1e6)),
  p99: spread(rounds.map(({ p99_ms }) => p99_ms * 1e6)),
})

async function sessions(issuer) {
  const opened = Array.from({ length: CLIENTS }, (_, number) =>
    issuer.admin('/sessions', { sub: `user-${number}`, client_id: 'web' }),
  )
  return (await Promise.all(opened)).map(({ refresh_token }) => refresh_token)
}

async function startOidcProvider(adapter) {
  const script = fileURLToPath(new URL('../peers/oidc-provider.mjs', import.meta.url))
  const child = spawn(process.execPath, [script, String(CLIENTS), adapter], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const stop = async () => {
    const gone = once(child, 'exit')
    child.stdin.end()
    await gone
  }
  return { ...JSON.parse(line), stop }
}
