// Random sequences of events: tabs open, users act, the issuer fails, messages arrive late. At the end all tabs and the
// issuer agree, and no user was signed out by accident.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Session } from '../types/session.js'
import { FakeBrowser, LIFETIME, settle, sidOf } from './session-fakes.js'

const HISTORIES = 40
const MOST_TABS = 5

interface Manner {
  readonly storage: 'cookie' | 'shared'
  readonly hasLocks: boolean
  /** Whether the user waits for the result of an operation before the next operation begins. */
  readonly isPatient: boolean
}

/** mulberry32: the same seed gives the same history. */
function chance(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

class History {
  readonly browser = new FakeBrowser()
  readonly tabs: Session[] = []
  readonly told: string[] = []
  readonly #random: () => number
  /** Whether the user must be signed in at the end. `undefined` if the user did not wait for the last operation. */
  #isSignedIn: boolean | undefined = false
  #isKicked = false
  #isLost = false
  #release = () => {}
  #deliver = () => {}

  constructor(
    seed: number,
    readonly manner: Manner,
  ) {
    const { host, issuer } = this.browser
    this.#random = host.random = chance(seed)
    this.browser.hasLocks = manner.hasLocks
    issuer.usesCookie = manner.storage === 'cookie'
    // Each reading of a clock shows a later time than the previous reading.
    const { now, monotonic } = host
    let ticks = 0
    host.now = () => now() + (ticks += 0.001)
    host.monotonic = () => monotonic() + ticks
    const { fetch } = issuer
    issuer.fetch = (async (url: string, init: RequestInit) => {
      const answer = await fetch(url, init)
      if (!this.#isLost || !url.endsWith('/token')) return answer
      this.#isLost = false
      throw new TypeError('connection reset')
    }) as typeof fetch
    this.#events.open()
  }

  readonly #events = {
    open: () => {
      if (this.tabs.length < MOST_TABS)
        this.tabs.push(this.browser.tab(this.manner.storage === 'cookie' ? { storage: 'cookie' } : {}))
    },
    close: () => {
      if (this.tabs.length > 1) this.tabs.splice(this.#among(this.tabs.length), 1)[0]!.close()
    },
    login: async () => {
      if (this.browser.issuer.mood !== 'up') return
      await this.#done(true, this.#tab.login({ username: 'alice', password: 'wonderland' }))
    },
    logout: () => this.#done(false, this.#tab.logout()),
    kick: () => {
      for (const session of this.browser.issuer.sessions) session.isOver = true
      this.#isSignedIn &&= false
      this.#isKicked = true
    },
    time: () => this.browser.host.elapse([1_000, 9_000, 40_000, 700_000, 1_000_000][this.#among(5)]!),
    outage: () => {
      const { issuer } = this.browser
      issuer.mood = issuer.mood !== 'up' ? 'up' : this.#among(2) ? 'down' : 503
    },
    wake: () => this.browser.wake(this.#among(3) === 0),
    ask: () => void this.#tab.getAccessToken().catch(() => {}),
    delay: () => {
      this.#deliver()
      this.#deliver = this.browser.delayMessages()
    },
    deliver: () => this.#deliver(),
    hold: () => {
      this.#release()
      this.#release = this.browser.issuer.hold('/token')
    },
    lose: () => void (this.#isLost = true),
    settle,
  }

  async happen(): Promise<void> {
    const events = Object.entries(this.#events)
    for (let left = 5 + this.#among(25); left > 0; left--) {
      this.browser.host.elapse(1)
      const [name, cause] = events[this.#among(events.length)]!
      this.told.push(name)
      const release = this.#release
      const event = cause()
      // An answer is delayed by at most one event. A longer delay would have the same effect as a lost answer, and lost
      // answers are a separate event.
      if (name !== 'hold') release()
      await event
      if (this.#among(2)) await settle()
    }
  }

  /** Ends all failures, delivers all messages, and lets every waiting tab retry. Then checks the result. */
  async end(): Promise<void> {
    this.#release()
    this.#deliver()
    this.browser.issuer.mood = 'up'
    await settle()
    this.#isLost = false
    await this.pass(2_000)
    await this.pass(2_000)
    // The tabs learn of a kick only from the next refresh. So after a kick, the result is checked only at the end of
    // this function.
    if (!this.#isKicked) await this.check()
    for (const ms of [LIFETIME * 1000, ...Array<number>(4).fill(30_000)]) await this.pass(ms)
    await this.check()
  }

  async pass(ms: number): Promise<void> {
    this.browser.host.elapse(ms)
    this.browser.wake()
    await settle()
    await settle()
  }

  async check(): Promise<void> {
    const states = this.tabs.map(tab => tab.state)
    const isActive = states.includes('active')
    const alive = this.browser.issuer.sessions.filter(session => !session.isOver).map(({ sid }) => sid)
    assert.ok(!states.includes('offline') && (!isActive || new Set(states).size === 1), `${states}`)
    assert.equal(alive.length, isActive ? 1 : 0, `sessions at the issuer, and ${states}`)
    const held = isActive ? await Promise.all(this.tabs.map(async tab => sidOf(await tab.getAccessToken()))) : []
    assert.deepEqual(new Set(held), new Set(alive))
    if (this.#isSignedIn !== undefined) assert.equal(isActive, this.#isSignedIn, `${states}`)
  }

  /** Records an operation of the user. The state at the end is known only if the user waited for the result. */
  async #done(isSignedIn: boolean, asked: Promise<void>): Promise<void> {
    this.#isSignedIn = undefined
    this.#isKicked = false
    const known = asked.then(
      () => this.manner.isPatient && (this.#isSignedIn = isSignedIn),
      () => {},
    )
    if (this.manner.isPatient) await known
  }

  get #tab(): Session {
    return this.tabs[this.#among(this.tabs.length)]!
  }

  #among = (count: number) => Math.floor(this.#random() * count)
}

for (const storage of ['cookie', 'shared'] as const) {
  for (const [hasLocks, isPatient] of [
    [true, true],
    [true, false],
    [false, true],
  ] as const) {
    const how = `${storage}, ${hasLocks ? 'with' : 'without'} locks, ${isPatient ? 'one action at a time' : 'overlapping actions'}`
    test(`the session stays correct in any history: ${how}`, async () => {
      for (let seed = 0; seed < HISTORIES; seed++) {
        const history = new History(seed, { storage, hasLocks, isPatient })
        await history.happen()
        await history.end().catch(error => {
          throw new Error(`${seed}: ${history.told.join(', ')}`, { cause: error })
        })
        for (const tab of history.tabs) tab.close()
      }
    })
  }
}
