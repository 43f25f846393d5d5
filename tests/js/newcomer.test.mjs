// The ten-minute tour of the README. The test does the same as a newcomer: it runs the commands, and pastes the files
// into an empty folder.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { launchChromium } from '../../js/packaging/tools.mjs'
import { chapterOfTour, stepsOf } from '../../js/packaging/tour.mjs'
import { BINARY } from './support.mjs'

const CLONE = fileURLToPath(new URL('../..', import.meta.url))
const TEN_MINUTES = { timeout: 600_000 }
/** The maximum number of milliseconds until a command ends or listens. npm sometimes has to download packages. */
const LIMIT_MS = 180_000
/**
 * Matches the line that the issuer, the API or Vite prints when it is ready. The issuer also prints its own URL before
 * it is ready. That earlier line does not match.
 */
const LISTENS = /(listening on|listens on|Local:) +http:\/\/(localhost|127\.0\.0\.1):/

/**
 * The texts of the README that the test replaces. The build exists already, and other programs can occupy the ports and
 * folders of the README. The test changes no other text.
 */
const instead = ({ tour, issuer, api, page }) => [
  ['make build\n', ''],
  ['target/release/doorlist', `'${BINARY}'`],
  ['../tour', tour],
  ['npm run dev', `npm run dev -- --port ${page} --strictPort`],
  ['localhost:8787', `localhost:${issuer}`],
  ['localhost:3000', `localhost:${api}`],
  ['listen(3000', `listen(${api}`],
  ['localhost:5173', `localhost:${page}`],
]

test('a user signs in, calls the API, is kicked, and sees the refusal', TEN_MINUTES, async story => {
  const { steps, tour, env, url } = await newcomer(story)
  const [issuer, user, api, vite, kick] = steps
  const serving = await follow(story, issuer, CLONE, { tour, env })
  for (const step of [user, api, vite]) await follow(story, step, tour, { tour, env })

  const browser = await launchChromium()
  story.after(() => browser.close())
  const context = await browser.newContext()
  const flaws = []
  context.on('weberror', error => flaws.push(error.error()))
  const page = await context.newPage()
  await page.goto(url.page)
  await state(page, 'signed-out')
  await signIn(page, 'looking-glass')
  await says(page, 'unknown username or wrong password')
  await signIn(page, 'wonderland')
  await state(page, 'active')

  const asked = page.waitForRequest(`${url.api}/me`)
  await page.locator('#ask').click()
  await says(page, '{"sub":"alice"}')
  const { authorization } = await (await asked).allHeaders()
  await page.reload()
  await state(page, 'active')
  const other = await context.newPage()
  await other.goto(url.page)
  await state(other, 'active')

  await follow(story, kick, tour, { tour, env })
  await Promise.all([state(page, 'kicked'), state(other, 'kicked')])
  await page.locator('#ask').click()
  await says(page, 'the issuer ended the session')
  const ask = () => fetch(`${url.api}/me`, { headers: { authorization } })
  let answer = await ask()
  while (answer.status === 200) answer = await ask()
  assert.deepEqual([answer.status, (await answer.json()).code], [401, 'ERR_JWT_REVOKED'])

  await signIn(page, 'wonderland')
  await Promise.all([state(page, 'active'), state(other, 'active')])
  await page.locator('#leave').click()
  await Promise.all([state(page, 'signed-out'), state(other, 'signed-out')])

  // If the issuer does not list the page's origin, the page names the setting to change.
  await end(serving)
  const forgetful = issuer
    .at(-1)
    .command.split('\n')
    .at(-1)
    .replace(/ --allowed-origins \S+/, '')
  await follow(story, [{ command: forgetful }], tour, { tour, env })
  await signIn(page, 'wonderland')
  await says(page, 'DOORLIST_ALLOWED_ORIGINS')
  assert.deepEqual(flaws, [])
})

const state = (page, wanted) => page.locator('h1', { hasText: wanted }).waitFor()
const says = (page, text) => page.locator('output', { hasText: text }).waitFor()
async function signIn(page, password) {
  await page.locator('[name=username]').fill('alice')
  await page.locator('[name=password]').fill(password)
  await page.locator('form button').click()
}

/** Returns an empty folder, the steps of the README with the replacements, and a clean environment for the shell. */
async function newcomer(story) {
  const folder = await mkdtemp(join(tmpdir(), 'doorlist-newcomer-'))
  story.after(() => rm(folder, { recursive: true, maxRetries: 5 }))
  const [issuer, api, page] = await freePorts(3)
  const tour = join(folder, 'tour')
  let text = await chapterOfTour()
  for (const [written, done] of instead({ tour, issuer, api, page })) {
    assert.ok(text.includes(written), `the README says \`${written.trim()}\``)
    text = text.replaceAll(written, done)
  }
  const foreign = /^(npm|doorlist)_/i
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)))
  const address = `127.0.0.1:${issuer}`
  return {
    steps: stepsOf(text),
    tour,
    env: { ...env, DOORLIST_LISTEN: address, DOORLIST_URL: `http://${address}` },
    url: { api: `http://localhost:${api}`, page: `http://localhost:${page}` },
  }
}

/**
 * Executes a step in a new terminal in this folder. If a command of the step continues to run, returns the process of
 * this command.
 */
async function follow(story, step, folder, { tour, env }) {
  for (const { file, content, command } of step) {
    if (file) {
      await writeFile(join(tour, file), content)
      continue
    }
    const { child, where } = await run(story, command, folder, env)
    if (child) return child
    folder = where
  }
}

/**
 * The processes that continue to run. Each process is the leader of its own process group. So the whole group can be
 * ended, even if the tests are interrupted.
 */
const running = new Set()
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const child of running) process.kill(-child.pid)
    process.exit(1)
  })
}

/** Runs a command until it listens or ends. If the command has ended, returns the last working folder of the shell. */
async function run(story, command, cwd, env) {
  const child = spawn('bash', ['-ec', `${command}\npwd >&3`], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  })
  running.add(child)
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child)
    return code
  })
  story.after(() => end(child))
  let said = ''
  const listens = new Promise(resolve => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', chunk => {
        said += chunk
        // If the variable CI is set, Vite prints its address in colour, even into a pipe.
        if (LISTENS.test(stripVTControlCharacters(said))) resolve('listens')
      })
    }
  })
  const where = child.stdio[3].toArray().then(chunks => Buffer.concat(chunks).toString().trim())
  const limit = new AbortController()
  const late = setTimeout(LIMIT_MS, 'late', { signal: limit.signal }).catch(() => {})
  const outcome = await Promise.race([listens, ended, late])
  limit.abort()
  if (outcome === 'listens') return { child }
  if (outcome === 0) return { where: await where }
  const how =
    outcome === 'late' ? `has not ended in ${LIMIT_MS / 1000} s; is the npm registry there?` : `ended with ${outcome}`
  throw new Error(`\`${command}\` ${how}\n${said}`)
}

async function end(child) {
  if (!running.has(child)) return
  const gone = once(child, 'close')
  process.kill(-child.pid)
  await gone
}

/** Returns ports that are free for both IPv4 and IPv6. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0))
  await Promise.all(servers.map(server => once(server, 'listening')))
  const ports = servers.map(server => server.address().port)
  await Promise.all(servers.map(server => once(server.close(), 'close')))
  return ports
}
