// Rows with a service. The service is built and started, and gets two requests with the same token. The first request
// is sent before a kick, and the second after the kick.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import process from 'node:process'
import { stripVTControlCharacters } from 'node:util'
import { Miniflare } from 'miniflare'
import { FOLLOWED } from '../issuer.mjs'
import { firstLineIn, launchChromium } from '../tools.mjs'
import { PAGE_LIMIT_MS, within } from './limits.mjs'

/** @param {(token: string, tenant: string) => Promise<{ sub?: string, code?: string }>} ask */
async function sawKick({ issuer, ask }) {
  const tenant = await issuer.tenant()
  const token = await (await fetch(`${tenant}/token`)).text()
  const before = await within('the first verification', () => ask(token, tenant), PAGE_LIMIT_MS)
  assert.ok(before.sub, JSON.stringify(before))
  await within('its stream from the issuer', () => issuer.subscribed(tenant), PAGE_LIMIT_MS)
  await fetch(`${tenant}/kick`, { method: 'POST' })
  const refused = async signal => {
    let after = await ask(token, tenant)
    while (after.sub && !signal.aborted) after = await ask(token, tenant)
    return after
  }
  const after = await within('a refusal after the kick', refused, PAGE_LIMIT_MS)
  assert.equal(after.code, 'ERR_JWT_REVOKED', JSON.stringify(after))
}

/**
 * Checks a page that the server delivers. The bundle of the page contains the package, and the page follows an issuer.
 */
async function pageFollows({ issuer, address }) {
  const tenant = await issuer.tenant()
  const line = await within('the page', () => firstLineIn(launchChromium, `${address}/?${tenant}`), PAGE_LIMIT_MS)
  assert.deepEqual(JSON.parse(line), FOLLOWED)
}

const asking = (path, fetch) => async (token, tenant) => {
  const init = { headers: { authorization: `Bearer ${token}` } }
  const response = await fetch(`${path}?issuer=${encodeURIComponent(tenant)}`, init)
  const text = await response.text()
  return response.ok ? JSON.parse(text) : { code: `${response.status} ${text}` }
}

/**
 * Builds the project, starts the server in a separate process, and tests the server.
 * @param {object} how
 * @param {string} [how.path] the path at which the server verifies the token
 * @param {boolean} [how.page] whether the page at `/` follows an issuer
 */
export const inNode =
  ({ build, start, path = '/', page = false, node = async () => process.execPath }) =>
  async ({ project, issuer }) => {
    const program = await node()
    await build(project, program)
    const port = await freePort()
    const env = { ...process.env, PORT: String(port), HOST: '127.0.0.1', NITRO_HOST: '127.0.0.1' }
    const child = spawn(program, [start], { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    const listening = () =>
      new Promise((resolve, reject) => {
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', chunk => {
            said += chunk
            if (/listening/i.test(stripVTControlCharacters(said))) resolve()
          })
        child.on('error', reject)
        child.on('exit', code => reject(new Error(`${start} ended with ${code}`)))
      })
    try {
      await within(`the start of ${start}`, listening, PAGE_LIMIT_MS)
      const address = `http://127.0.0.1:${port}`
      await sawKick({ issuer, ask: asking(address + path, fetch) })
      if (page) await pageFollows({ issuer, address })
    } catch (error) {
      error.message += `\n${said}`
      throw error
    } finally {
      child.kill('SIGKILL')
    }
  }

/**
 * Builds the project, and runs the output in workerd. Like Cloudflare and Vercel's edge, workerd cannot compile a
 * module from bytes.
 * @param {object} how
 * @param {string} [how.wrapper] the code of a module that wraps the output's `index.mjs`
 */
export const inWorkerd =
  ({ build, folder, path = '/', node = async () => process.execPath, wrapper }) =>
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
      await within('the start of workerd', () => miniflare.ready, PAGE_LIMIT_MS)
      const ask = asking(`http://127.0.0.1${path}`, (address, init) => miniflare.dispatchFetch(address, init))
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
