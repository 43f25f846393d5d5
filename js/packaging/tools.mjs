// Programs that the tests run. If a program is missing, the test fails and is not skipped. The message says how to get
// the program.
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'
import { js } from './consumer.mjs'
import { findChromium } from './programs.mjs'

const execute = promisify(execFile)
const require = createRequire(import.meta.url)

/** Runs a program in a folder. Returns its output. */
export async function output(program, args, cwd) {
  const { stdout } = await execute(program, args, { cwd, maxBuffer: 64 * 1024 * 1024 })
  return stdout
}

/** Returns the path of a program in node_modules/.bin. */
export function bin(name) {
  const path = join(js, 'node_modules/.bin', name)
  if (!existsSync(path)) throw new Error(`${name} is not installed: run \`npm ci\` in js/.`)
  return path
}

/** Returns the path of another major version of Node. npm installs its binary. */
export async function otherNode(major) {
  const nodes = join(js, 'packaging/nodes')
  const path = join(nodes, `node_modules/node-${major}-${platform()}-${arch()}/bin/node`)
  if (!existsSync(path)) await execute('npm', ['ci'], { cwd: nodes })
  if (!existsSync(path))
    throw new Error(`npm has no Node ${major} for ${platform()}-${arch()}: run this test on Linux.`)
  return path
}

/**
 * This function is `async`. So a missing browser causes a rejection, and not a synchronous exception.
 * @param {object} [options] further options for Playwright's `launch`
 */
export async function launchChromium(options) {
  const args = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']
  return chromium.launch({
    executablePath: findChromium(),
    chromiumSandbox: process.getuid?.() !== 0,
    args,
    ...options,
  })
}

/** Opens an address in a separate browser or context. Returns the first line that the page logs. */
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

/** Serves a folder on a free port. Returns the address, and a function that stops the server. */
export async function serve(folder, headers = {}) {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://x').pathname
    try {
      const body = await readFile(join(folder, path === '/' ? 'index.html' : path))
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/html', ...headers }).end(body)
    } catch {
      // Chromium always requests an icon. If the answer is 404, Chromium logs an error.
      response.writeHead(path === '/favicon.ico' ? 204 : 404).end()
    }
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return { address: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() }
}

/**
 * Runs workerd with a configuration. Returns the address on which workerd listens, and a function that stops workerd.
 */
export async function workerd(configuration, cwd, env = {}) {
  const child = spawn(workerdBinary(), ['serve', configuration, '--socket-addr=http=127.0.0.1:0', '--control-fd=3'], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'pipe', 'pipe'],
  })
  // Before workerd has started, its error output is collected. If workerd does not start, the last line is the reason.
  // After the start, the error output is shown.
  let complaint = ''
  const listen = chunk => (complaint += chunk)
  child.stderr.on('data', listen)
  const port = await new Promise((resolve, reject) => {
    const fail = why => reject(new Error(`workerd did not start: ${complaint.trim().split('\n').at(-1) || why}`))
    child.on('close', code => fail(`it ended with ${code}`))
    child.on('error', error => fail(error.message))
    let said = ''
    child.stdio[3].on('data', chunk => {
      said += chunk
      const match = /"event":"listen","socket":"http","port":(\d+)/.exec(said)
      if (match) resolve(match[1])
    })
  })
  child.stderr.off('data', listen).pipe(process.stderr)
  return { address: `http://127.0.0.1:${port}/`, stop: () => child.kill() }
}

/**
 * Returns the path of workerd. npm does not install workerd if optional packages are omitted, or if no workerd exists
 * for the platform.
 */
function workerdBinary() {
  try {
    return require('workerd').default
  } catch (error) {
    const reason = error.message.split('\n', 1)[0]
    throw new Error(`no workerd: ${reason} (\`npm ci --include=optional\` in js/ installs it)`, { cause: error })
  }
}
