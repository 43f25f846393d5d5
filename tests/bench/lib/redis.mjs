// A Redis of a measurement's own, and issuers side by side on it.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { startIssuer } from '../../../js/demo/issuer.mjs'
import { BINARY } from './issuer.mjs'

const ADMIN_KEY = 'admin-key-of-the-measurements-0123456789'
const SECRETS = ['--master-secret', 'master-secret-of-the-measurements-01234', '--admin-key', ADMIN_KEY]

/** Whether there is a `redis-server` on the PATH. */
export const hasRedis = () => spawnSync('redis-server', ['--version']).error === undefined

/** Runs `measure` with a new Redis, every write in its AOF within a second, and removes it. */
export async function withRedis(measure) {
  const folder = await mkdtemp(join(tmpdir(), 'doorlist-redis-'))
  const port = await freePort()
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes']
  const child = spawn('redis-server', args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes('Ready to accept connections')) break
    }
    return await measure(new Redis(port))
  } finally {
    const gone = once(child, 'exit')
    child.kill()
    await gone
    await rm(folder, { recursive: true })
  }
}

class Redis {
  #port

  constructor(port) {
    this.#port = port
  }

  get url() {
    return `redis://127.0.0.1:${this.#port}`
  }

  /** The answer as `redis-cli` writes it. */
  ask(...command) {
    const args = ['-p', this.#port, ...command].map(String)
    return execFileSync('redis-cli', args, { encoding: 'utf8' }).trimEnd()
  }

  /** Bytes of everything that is kept, but for the audit's events, of which only the last are. */
  memory() {
    const audit = Number(this.ask('MEMORY', 'USAGE', '{doorlist}:audit', 'SAMPLES', 0))
    return Number(/^used_memory_dataset:(\d+)/m.exec(this.ask('INFO', 'memory'))[1]) - audit
  }

  /** Nanoseconds that its main thread has worked. */
  worked() {
    const seconds = this.ask('INFO', 'cpu').matchAll(/^used_cpu_(?:sys|user)_main_thread:([\d.]+)/gm)
    return [...seconds].reduce((sum, [, each]) => sum + Number(each), 0) * 1e9
  }

  /** Sends many commands without waiting for each one's answer, and then waits for all. */
  async pour(commands) {
    const socket = connect(this.#port, '127.0.0.1')
    await once(socket, 'connect')
    let last = '\n'
    socket.setEncoding('latin1').on('data', text => {
      const error = /\n-(.*)/.exec(last + text)
      if (error) socket.destroy(new Error(`Redis answers ${error[1]}`))
      last = text.at(-1)
    })
    const gone = once(socket, 'close')
    let text = ''
    for (const command of commands) {
      text += resp(command)
      if (text.length < 1 << 20) continue
      if (!socket.write(text)) await once(socket, 'drain')
      text = ''
    }
    // Whoever quits is answered everything first.
    socket.end(text + resp(['QUIT']))
    await gone
  }

  /** An issuer on it; others than the first are called as that one. */
  node(args, first) {
    const named = first ? ['--issuer', first.url] : []
    const all = [...SECRETS, '--log', 'error', ...named, ...args]
    return startIssuer({ binary: BINARY, store: this.url, args: all, adminKey: ADMIN_KEY })
  }
}

/** Runs `measure` with two issuers on a new Redis. */
export const withTwoNodes = (args, measure) =>
  withRedis(async redis => {
    const a = await redis.node(args)
    try {
      const b = await redis.node(args, a)
      try {
        return await measure(a, b, redis)
      } finally {
        await b.remove()
      }
    } finally {
      await a.remove()
    }
  })

/** A command as it is sent. */
const resp = parts =>
  [`*${parts.length}`, ...parts.flatMap(part => [`$${Buffer.byteLength(part)}`, part]), ''].join('\r\n')

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
