// Installs Next if Next is missing, builds the application and serves it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { symlink } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

const { PORT = '3000' } = process.env
const here = fileURLToPath(new URL('.', import.meta.url))
const modules = `${here}node_modules`
let running
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => running.kill())

if (!existsSync(`${modules}/.package-lock.json`))
  await run('npm', 'ci', '--no-audit', '--no-fund', '--no-update-notifier')
// Links the package of this clone. In your own project, `npm install` installs the package.
if (!existsSync(`${modules}/doorlist`)) await symlink('../../..', `${modules}/doorlist`, 'dir')
await next('build')
await next('start', '--hostname', '127.0.0.1', '--port', PORT)

async function run(program, ...args) {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' }
  running = spawn(program, args, { cwd: here, env, stdio: ['ignore', 'pipe', 'inherit'] })
  running.stdout.on('data', said => {
    process.stdout.write(said)
    const [address] = /http:\/\/127\S+/.exec(stripVTControlCharacters(said.toString())) ?? []
    if (address) console.log(address)
  })
  const [code] = await once(running, 'exit')
  if (code !== 0) process.exit(code ?? 1)
}

function next(...args) {
  return run(process.execPath, `${modules}/next/dist/bin/next`, ...args)
}
