// Programs that the tests run. One that is missing is a failure that says how to get it, never a test left out.
import { execFile, spawn } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { delimiter, extname, join } from 'node:path'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'
import { js } from './consumer.mjs'

const execute = promisify(execFile)
const require = createRequire(import.meta.url)

/** Runs a program in a folder; answers with what it prints. */
export async function output(program, args, cwd) {
  const { stdout } = await execute(program, args, { cwd, maxBuffer: 64 * 1024 * 1024 })
  return stdout
}

/** A program from node_modules/.bin. */
export function bin(name) {
  const path = join(js, 'node_modules/.bin', name)
  if (!existsSync(path)) throw new Error(`${name} is not installed: run \`npm ci\` in js/.`)
  return path
}

/** Another major version of Node; npm brings its binary. */
export async function otherNode(major) {
  const nodes = join(js, 'packaging/nodes')
  const path = join(nodes, `node_modules/node-${major}-${platform()}-${arch()}/bin/node`)
  if (!existsSync(path)) await execute('npm', ['ci'], { cwd: nodes })
  if (!existsSync(path))
    throw new Error(`npm has no Node ${major} for ${platform()}-${arch()}: run this test on Linux.`)
  return path
}

/** An installed program: the one that a variable names, or the first found by one of these names. */
export function findProgram({ variable, names, macOS, otherwise }) {
  const folders = process.env.PATH.split(delimiter)
  const candidates = [process.env[variable], ...names.flatMap(name => folders.map(folder => join(folder, name))), macOS]
  const found = candidates.find(path => path && isExecutable(path))
  if (found === undefined) throw new Error(otherwise)
  return found
}

export const findChromium = () =>
  findProgram({
    variable: 'CHROMIUM',
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    macOS: '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    otherwise: 'no Chromium: `apt-get install chromium`, or name one in the variable CHROMIUM.',
  })

/** @param {object} [options] further ones of Playwright's `launch` */
export function launchChromium(options) {
  const args = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']
  return chromium.launch({
    executablePath: findChromium(),
    chromiumSandbox: process.getuid?.() !== 0,
    args,
    ...options,
  })
}

/** Opens an address in a browser of its own and answers with the first line that its page logs. */
export async function firstLineIn(launch, address) {
  const browser = await launch()
  try {
    const page = await browser.newPage()
    const logged = new Promise((resolve, reject) => {
      page.on('console', message => {
        if (message.type() === 'error') reject(new Error(message.text()))
        if (message.type() === 'log') resolve(message.text())
      })
      page.on('pageerror', reject)
    })
    const [line] = await Promise.all([logged, page.goto(address)])
    return line
  } finally {
    await browser.close()
  }
}

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' }

/** Serves a folder on a free port; answers with the address and how to stop. */
export async function serve(folder, headers = {}) {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://x').pathname
    try {
      const body = await readFile(join(folder, path === '/' ? 'index.html' : path))
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/html', ...headers }).end(body)
    } catch {
      // Chromium asks for an icon by itself, and says so where it finds none.
      response.writeHead(path === '/favicon.ico' ? 204 : 404).end()
    }
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return { address: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() }
}

/** Runs a workerd configuration; answers with its address, taken from what it reports, and how to stop. */
export async function workerd(configuration, cwd, env = {}) {
  const child = spawn(
    require('workerd').default,
    ['serve', configuration, '--socket-addr=http=127.0.0.1:0', '--control-fd=3'],
    {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    },
  )
  const port = await new Promise((resolve, reject) => {
    child.on('exit', code => reject(new Error(`workerd ended with ${code}`)))
    child.on('error', reject)
    let said = ''
    child.stdio[3].on('data', chunk => {
      said += chunk
      const match = /"event":"listen","socket":"http","port":(\d+)/.exec(said)
      if (match) resolve(match[1])
    })
  })
  return { address: `http://127.0.0.1:${port}/`, stop: () => child.kill() }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
