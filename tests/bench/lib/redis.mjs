// Starts a Redis for one measurement, and several issuers on this Redis.
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

/** Redis writes every change to its AOF within a second. Most configuration files use this setting. */
export const ON_DISK = ['--appendonly', 'yes']
/** Redis writes nothing to disk. This setting is for measurements to which the disk would only add a delay. */
export const IN_MEMORY = ['--appendonly', 'no']

/** Runs `measure` with a new Redis. Then removes the Redis. */
export async function withRedis(persistence, measure) {
  const folder = await mkdtemp(join(tmpdir(), 'doorlist-redis-'))
  const port = await freePort()
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...persistence]
  const child = spawn('redis-server', args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(child, 'exit')
  try {
    await isReady(child.stdout)
    return await measure(new Redis(port))
  } finally {
    child.kill()
    await gone
    await rm(folder, { recursive: true })
  }
}

async function isReady(stdout) {
  for await (const line of createInterface({ input: stdout })) {
    if (!line.includes('Ready to accept connections')) continue
    // The remaining output is read and dropped. Otherwise the pipe would become full, and Redis would wait.
    stdout.resume()
    return
  }
  throw new Error('redis-server ended at its start')
}

class Redis {
  #port

  constructor(port) {
    this.#port = port
  }

  get url() {
    return `redis://127.0.0.1:${this.#port}`
  }

  /** Sends a command, and returns the answer in the format of `redis-cli`. */
  ask(...command) {
    const args = ['-p', this.#port, ...command].map(String)
    return execFileSync('redis-cli', args, { encoding: 'utf8' }).trimEnd()
  }

  /**
   * Returns the number of bytes of all stored data and their indexes. The audit stream is not counted, because it keeps
   * only the last events.
   */
  memory() {
    const audit = Number(this.ask('MEMORY', 'USAGE', '{doorlist}:audit', 'SAMPLES', 0))
    const info = this.ask('INFO', 'memory')
    const bytes = name => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)[1])
    return bytes('used_memory') - bytes('mem_clients_normal') - bytes('mem_aof_buffer') - audit
  }

  /** Returns the CPU time of the main thread of Redis, in nanoseconds. */
  worked() {
    const seconds = this.ask('INFO', 'cpu').matchAll(/^used_cpu_(?:sys|user)_main_thread:([\d.]+)/gm)
    return [...seconds].reduce((sum, [, each]) => sum + Number(each), 0) * 1e9
  }

  /** Sends many commands without waiting for each answer. Then waits for all answers. */
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
    // When Redis answers QUIT, it has answered all earlier commands.
    socket.end(text + resp(['QUIT']))
    await gone
  }

  /** Starts an issuer on this Redis. If `first` is given, the new issuer has the same issuer URL as `first`. */
  node(args, first) {
    const named = first ? ['--issuer', first.url] : ['--init']
    const all = [...SECRETS, '--log', 'error', ...named, ...args]
    return startIssuer({ binary: BINARY, store: this.url, args: all, adminKey: ADMIN_KEY })
  }
}

/** Runs `measure` with two issuers on a new Redis. */
export const withTwoNodes = (args, measure) =>
  withRedis(ON_DISK, async redis => {
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

/** Returns a command in the Redis protocol. */
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
