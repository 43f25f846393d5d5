// Rows that are a service: it is built, started, asked with a good token, and asked again once its user is kicked.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { Miniflare } from 'miniflare'

const execute = promisify(execFile)
/** A build that takes longer hangs. */
const LIMIT_MS = 300_000

/** Runs a program to its end; an error has what it printed. */
export async function ran(program, args, cwd, env = {}) {
  const { stdout } = await execute(program, args, {
    cwd,
    env: { ...process.env, ...env },
    timeout: LIMIT_MS,
    maxBuffer: 64 * 1024 * 1024,
  })
  return stdout
}

/** @param {(token: string, tenant: string) => Promise<{ sub?: string, code?: string }>} ask */
async function sawKick({ issuer, ask }) {
  const tenant = await issuer.tenant()
  const token = await (await fetch(`${tenant}/token`)).text()
  const before = await ask(token, tenant)
  assert.ok(before.sub, JSON.stringify(before))
  await issuer.subscribed(tenant)
  await fetch(`${tenant}/kick`, { method: 'POST' })
  let after = await ask(token, tenant)
  while (after.sub) after = await ask(token, tenant)
  assert.equal(after.code, 'ERR_JWT_REVOKED', JSON.stringify(after))
}

const request = (token, tenant) => [
  `/?issuer=${encodeURIComponent(tenant)}`,
  { headers: { authorization: `Bearer ${token}` } },
]

/** Builds, starts the server in a process of its own, and tries it. */
export const inNode =
  ({ build, start, node = async () => process.execPath }) =>
  async ({ project, issuer }) => {
    const program = await node()
    await build(project, program)
    const port = await freePort()
    const env = { ...process.env, PORT: String(port), HOST: '127.0.0.1', NITRO_HOST: '127.0.0.1' }
    const child = spawn(program, [start], { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    try {
      await new Promise((resolve, reject) => {
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', chunk => /listening/i.test((said += chunk)) && resolve())
        child.on('exit', code => reject(new Error(`${start} ended with ${code}\n${said}`)))
      })
      const ask = async (...of) => {
        const [path, init] = request(...of)
        const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
        const text = await response.text()
        return response.ok ? JSON.parse(text) : { code: `${response.status} ${text}\n${said}` }
      }
      await sawKick({ issuer, ask })
    } finally {
      child.kill()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
  }

/** Builds, and runs the output in workerd, which compiles no bytes, as Cloudflare and Vercel's edge do not. */
export const inWorkerd =
  ({ build, folder, node = async () => process.execPath, wrapper }) =>
  async ({ project, issuer }) => {
    await build(project, await node())
    const root = join(project, folder)
    const entry = join(root, wrapper ? 'wrapper.mjs' : 'index.mjs')
    if (wrapper) await writeFile(entry, wrapper)
    const miniflare = new Miniflare({
      modules: true,
      modulesRoot: root,
      modulesRules: [
        { type: 'ESModule', include: ['**/*.mjs', '**/*.js'] },
        { type: 'CompiledWasm', include: ['**/*.wasm'] },
      ],
      scriptPath: entry,
      compatibilityDate: '2025-06-01',
      compatibilityFlags: ['nodejs_compat'],
    })
    try {
      const ask = async (...of) => {
        const [path, init] = request(...of)
        const response = await miniflare.dispatchFetch(`http://127.0.0.1${path}`, init)
        const text = await response.text()
        return response.ok ? JSON.parse(text) : { code: `${response.status} ${text}` }
      }
      await sawKick({ issuer, ask })
    } finally {
      await miniflare.dispose()
    }
  }

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await once(server.close(), 'close')
  return port
}
