// Several issuers (nodes) on one Redis. There are four measurements:
// - refreshes at one node, and at two nodes;
// - the time from a kick at one node until a verifier of the other node refuses the token;
// - the start of a node with a long revocation log;
// - the memory that Redis needs for the data.
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createVerifier } from '../lib/doorlist.mjs'
import { addressOf, adminLoad, load, resident } from '../lib/issuer.mjs'
import { spread } from '../lib/measure.mjs'
import { IN_MEMORY, withRedis, withTwoNodes } from '../lib/redis.mjs'
import { timeKicks } from './kick.mjs'

const CLIENTS = 64
const SECONDS = 2
const ROUNDS = 5
const SESSIONS = 50_000
/** A node must become ready within this many milliseconds. Otherwise the measurement fails. */
const READY_LIMIT = 60_000
export const ENTRIES = 1_000_000

/**
 * Returns the refreshes per second at one node, and at two nodes. With two nodes, each node serves half of the clients.
 * Every refresh rotates. The result also contains the CPU time of Redis per refresh, in nanoseconds.
 */
export const nodeRefreshes = () =>
  withTwoNodes(['--refresh-grace-secs', '0'], async (a, b, redis) => {
    const folder = await mkdtemp(join(tmpdir(), 'doorlist-bench-'))
    try {
      const targets = {
        'one issuer': [await share(a, folder, 0, CLIENTS)],
        'two issuers': [await share(a, folder, CLIENTS, CLIENTS / 2), await share(b, folder, 2 * CLIENTS, CLIENTS / 2)],
      }
      const rounds = Object.fromEntries(Object.keys(targets).map(name => [name, []]))
      for (let round = -1; round < ROUNDS; round++) {
        for (const [name, shares] of Object.entries(targets)) {
          const before = redis.worked()
          const reports = await Promise.all(shares.map(run))
          const count = reports.reduce((sum, report) => sum + report.count, 0)
          const worked = (redis.worked() - before) / count
          if (round >= 0) rounds[name].push({ ...together(reports), worked })
        }
      }
      return Object.fromEntries(Object.entries(rounds).map(([name, all]) => [name, summary(all)]))
    } finally {
      await rm(folder, { recursive: true })
    }
  })

/** Opens `count` sessions whose tokens will be refreshed at this node. */
async function share(node, folder, first, count) {
  const open = number => node.admin('/sessions', { sub: `user-${first + number}`, client_id: 'web' })
  const opened = await Promise.all(Array.from({ length: count }, (_, number) => open(number)))
  const file = join(folder, String(first))
  await writeFile(file, opened.map(({ refresh_token }) => `${refresh_token}\n`).join(''))
  return { node, file }
}

const run = ({ node, file }) => load(['refresh', addressOf(node), '/token', 'web', file, String(SECONDS)])

/** Combines the reports of both nodes: adds the rates, and takes the longer latency. */
const together = reports => ({
  perSecond: reports.reduce((sum, { per_second }) => sum + per_second, 0),
  p50: Math.max(...reports.map(({ p50_ms }) => p50_ms * 1e6)),
  p99: Math.max(...reports.map(({ p99_ms }) => p99_ms * 1e6)),
})

const summary = rounds =>
  Object.fromEntries(
    ['perSecond', 'p50', 'p99', 'worked'].map(name => [name, spread(rounds.map(round => round[name]))]),
  )

/**
 * Kicks at the first node, and measures when a verifier of the second node refuses the token. Returns two times in
 * nanoseconds for each kick: one counts from sending the kick, and one from its acknowledgement.
 */
export const kickAcrossNodes = () => withTwoNodes([], async (a, b) => timeKicks(a, await Follower.of(a, b)))

/** A verifier that follows the stream of one node. All nodes have the issuer URL of the first node. */
class Follower {
  #verifier
  #abort = new AbortController()
  #waiting

  static async of(first, node) {
    const follower = new Follower()
    const jwks = await (await fetch(`${node.url}/.well-known/jwks.json`)).json()
    follower.#verifier = createVerifier({ issuer: first.url, audience: 'api', jwks })
    follower.#verifier.load(await (await fetch(`${node.url}/revocations`)).text())
    const { body } = await fetch(`${node.url}/revocations/stream`, { signal: follower.#abort.signal })
    follower.#read(body).catch(error => {
      if (error.name !== 'AbortError') throw error
    })
    return follower
  }

  accepts(token) {
    this.#verifier.verify(token)
  }

  /** Resolves with the time when the verifier first refuses the token. */
  refuses(token) {
    return new Promise(resolve => {
      this.#waiting = { token, resolve }
    })
  }

  close() {
    this.#abort.abort()
  }

  async #read(body) {
    let text = ''
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      const events = (text + chunk).split('\n\n')
      text = events.pop()
      for (const event of events) this.#take(/^data: (.*)$/m.exec(event)?.[1])
    }
  }

  #take(list) {
    if (list === undefined) return
    this.#verifier.load(list)
    if (!this.#waiting) return
    const { token, resolve } = this.#waiting
    try {
      this.#verifier.verify(token)
    } catch {
      this.#waiting = undefined
      resolve(performance.now())
    }
  }
}

/**
 * Measures the memory of Redis in three steps: subjects with one session, subjects with two sessions, and a revocation
 * log of 1,000,000 live entries. Then measures the start of a node on this Redis.
 */
export const longLog = () =>
  withRedis(IN_MEMORY, async redis => {
    const first = await redis.node([])
    try {
      const empty = redis.memory()
      await adminLoad('sessions', first, 0, SESSIONS)
      const once = redis.memory()
      await adminLoad('sessions', first, 0, SESSIONS)
      const subject = (once - empty) / SESSIONS
      const session = (redis.memory() - once) / SESSIONS
      // The issuer executes only one kick. The entry of this kick is copied for all other kicks.
      await adminLoad('kicks', first, 0, 1)
      const entry = redis.ask('XREVRANGE', '{doorlist}:log', '+', '-', 'COUNT', 1).split('\n').at(-1)
      const record = redis.ask('GET', recordKey('user-0'))
      await first.stop()

      const before = redis.memory()
      await redis.pour(entries(redis, entry))
      const perEntry = (redis.memory() - before) / ENTRIES
      await redis.pour(records(record))

      const begin = performance.now()
      await first.start()
      const listens = performance.now() - begin
      await ready(first)
      const isReady = performance.now() - begin
      const list = await (await fetch(`${first.url}/revocations`)).text()
      return {
        subject,
        session,
        perEntry,
        listens: listens * 1e6,
        ready: isReady * 1e6,
        resident: resident(first.pid),
        list: list.length,
      }
    } finally {
      await first.remove()
    }
  })

async function ready(node) {
  const signal = AbortSignal.timeout(READY_LIMIT)
  for (;;) {
    const answer = await fetch(`${node.url}/readyz`, { signal })
    await answer.text()
    if (answer.ok) return
    await pause(20, undefined, { signal })
  }
}

/**
 * Yields commands that append entries for other subjects to the revocation log. Like a node, this function uses all
 * handles of one block before it uses the next block. The last command updates the head of the revocation log.
 */
function* entries(redis, entry) {
  const now = Number(redis.ask('TIME').split('\n')[0])
  const like = JSON.parse(entry)
  const first = Number(redis.ask('HGET', '{doorlist}:head', 'last')) + 1
  for (let number = 0; number < ENTRIES; number++) {
    const gid = (0x5eed_0001_0000n + BigInt(number)).toString(16).padStart(16, '0')
    const one = JSON.stringify({ ...like, sub: `kicked-${number}`, gid })
    yield ['XADD', '{doorlist}:log', `${first + number}-0`, 'at', String(now), 'entry', one]
  }
  yield ['HSET', '{doorlist}:head', 'last', String(first + ENTRIES - 1)]
}

/** Yields commands that write the record of each kicked subject. A real kick writes the same record. */
function* records(record) {
  for (let number = 0; number < ENTRIES; number++) yield ['SET', recordKey(`kicked-${number}`), record]
}

/** Returns the Redis key of a subject's record. `issuer/src/store/redis/keys.rs` has the same rule. */
function recordKey(sub) {
  const bucket = createHash('sha256').update(sub).digest('hex').slice(0, 2)
  return `{doorlist:${bucket}}:record:${sub}`
}
