// One stream for all pages of an origin (fault C1, traces 1, 26, 27 and 55).
import assert from 'node:assert/strict'
import test from 'node:test'
import { makeConnectVerifier } from '../src/api.js'
import { isBrowser, type Locks, type Origin } from '../src/origin.js'
import type { ConnectOptions, ConnectedVerifier } from '../types/index.js'
import {
  FakeHost,
  FakeNetwork,
  ISSUER,
  METADATA,
  METADATA_URL,
  fakeModule,
  list,
  settle,
  since,
  told,
} from './fakes.js'
import { FakeBrowser } from './session-fakes.js'

const SNAPSHOT = METADATA.revocation_list_uri
const LIST = since.bind(null, SNAPSHOT)
const STREAM = since.bind(null, METADATA.revocation_stream_uri)
const TTL = 10_000
/**
 * The minimum number of milliseconds for which a page waits for a silent leader. Random numbers are 0, so each page
 * waits exactly this time.
 */
const PATIENCE = 1.75 * TTL

/** A browser whose pages can be frozen and restored. */
class Pages {
  readonly host = new FakeHost()
  readonly network = new FakeNetwork()
  readonly browser = new FakeBrowser(this.host)
  readonly names = new Set<string>()
  readonly #aways: ((isAway: boolean) => void)[] = []
  locks: Locks | undefined = {
    request: (name, options, work) => {
      this.names.add(name)
      return this.browser.locks.request(name, options, work)
    },
  }

  /** Opens another page. The verifier of this page starts with the list `first`. */
  async open(first = list(1), options: Partial<ConnectOptions> = {}): Promise<ConnectedVerifier> {
    const connecting = makeConnectVerifier(fakeModule, this.host, () => this.origin())({
      issuer: ISSUER,
      audience: 'api',
      fetch: this.network.fetch,
      ...options,
    })
    await this.network.begin(first)
    const verifier = await connecting
    await settle()
    return verifier
  }

  origin(): Origin {
    return {
      locks: this.locks,
      channel: name => {
        this.names.add(name)
        return this.browser.platform().channel(name)
      },
      onAway: call => {
        this.#aways.push(call)
        return () => {}
      },
    }
  }

  /** Freezes or restores the page with this index, from 0. */
  away = (page: number, isAway: boolean) => this.#aways[page]!(isAway)

  get streams(): number {
    return this.network.log.filter(url => url.startsWith(METADATA.revocation_stream_uri)).length
  }

  /** Lets time pass in steps, and runs the pending work after each step. */
  async elapse(ms: number, step = 500): Promise<void> {
    for (let passed = 0; passed < ms; passed += step) {
      this.host.elapse(step)
      await settle()
    }
  }
}

const sequences = (pages: ConnectedVerifier[]) => pages.map(page => page.status().sequence)
const modes = (pages: ConnectedVerifier[]) => pages.map(page => page.status().mode)
const close = (pages: ConnectedVerifier[]) => pages.forEach(page => page.close())

async function ten() {
  const pages = new Pages()
  const leader = await pages.open()
  const stream = await pages.network.request(STREAM(1))
  stream.open()
  const others: ConnectedVerifier[] = []
  for (let page = 1; page < 10; page++) others.push(await pages.open())
  return { pages, leader, stream, others, all: [leader, ...others] }
}

test('C1: ten pages share one stream, and its lists reach all pages', async () => {
  const { pages, stream, others, all } = await ten()
  assert.deepEqual(modes(all), ['stream', ...others.map(() => 'shared')])
  const changes = Promise.all(all.map(page => told(page, 'change')))
  stream.send(list(2, { since: 1 }))
  await changes
  assert.deepEqual(new Set(sequences(all)), new Set([2]))
  assert.equal(pages.streams, 1)
  // The name contains a version and the URL of the issuer. This URL never contains a `#`, so a later version can append
  // a `#` and more text.
  assert.deepEqual([...pages.names], [`doorlist:1:lists:${ISSUER}`])
  const asked = pages.network.log.length
  for (let beat = 1; beat <= 5; beat++) {
    await pages.elapse(TTL)
    stream.send(list(2, { since: 2, iat: 1_700_000_100 + beat }))
    await settle()
  }
  assert.equal(pages.network.log.length, asked, 'no page sends a request while the stream has events')
  close(all)
  await settle()
  await pages.host.idle()
})

test('C1: the next page takes over as soon as the leading one is closed, from its own cursor', async () => {
  const { pages, leader, stream, others } = await ten()
  stream.send(list(2, { since: 1 }))
  await settle()
  leader.close()
  await stream.aborted
  const next = await pages.network.request(STREAM(2))
  next.open()
  await settle()
  assert.deepEqual(modes(others), ['stream', ...others.slice(1).map(() => 'shared')])
  next.send(list(3, { since: 2 }))
  await settle()
  assert.deepEqual(new Set(sequences(others)), new Set([3]))
  assert.equal(pages.streams, 2)
  close(others)
})

test('C1: a silent leader is noticed within two ttl, and the list that one page requests serves all (trace 55)', async () => {
  const pages = new Pages()
  const lock = `doorlist:1:lists:${ISSUER}`
  const release = pages.browser.locks.take(lock) // a page that leads and sends nothing
  const all = [await pages.open(), await pages.open(), await pages.open()]
  const asked = pages.network.log.length
  assert.deepEqual(modes(all), ['shared', 'shared', 'shared'])
  await pages.elapse(PATIENCE - 500)
  assert.equal(pages.network.log.length, asked)
  await pages.elapse(500)
  assert.ok(PATIENCE <= 2 * TTL)
  const polls = [await pages.network.request(LIST(1)), await pages.network.request(LIST(1))]
  assert.deepEqual(modes(all), ['poll', 'poll', 'poll'])
  polls[0]!.text(list(2, { since: 1 }))
  await settle()
  assert.deepEqual(sequences(all), [2, 2, 2], 'all pages use one answer')
  assert.equal(pages.streams, 0)
  // The holder of the lock releases the lock. Then a page can lead.
  release()
  ;(await pages.network.request(STREAM(2))).open()
  close(all)
})

test('C1: pages stop waiting for a silent leader at different times', async () => {
  const pages = new Pages()
  pages.browser.locks.take(`doorlist:1:lists:${ISSUER}`)
  let chance = 0
  Object.assign(pages.host, { random: () => chance })
  const early = await pages.open()
  chance = 0.999
  const late = await pages.open()
  await pages.elapse(PATIENCE)
  assert.deepEqual(modes([early, late]), ['poll', 'shared'])
  // The first page gets this list and passes the list on, so the second page sends no request.
  ;(await pages.network.request(LIST(1))).text(list(2, { since: 1 }))
  await pages.elapse(TTL / 4)
  assert.deepEqual(modes([early, late]), ['poll', 'shared'])
  assert.equal(pages.network.count(LIST(1)), 1)
  close([early, late])
})

test('C1: only a signed, newer list is accepted from the channel, and other messages cause at most one request per ttl', async () => {
  const { pages, stream, others, all } = await ten()
  const errors: Error[] = []
  for (const page of all) page.on('error', error => errors.push(error))
  const before = pages.network.log.length
  const mallory = pages.browser.platform().channel('')!
  for (const junk of [
    undefined,
    null,
    7,
    {},
    { list: list(9) },
    [list(9)],
    '',
    'x'.repeat(100),
    'null',
    list(0), // an old list
  ])
    mallory.postMessage(junk)
  await settle()
  assert.equal(pages.network.log.length, before)
  assert.deepEqual(new Set(sequences(all)), new Set([1]))
  for (let round = 0; round < 50; round++) {
    mallory.postMessage(list(9, { kid: 'forged' }))
    mallory.postMessage(list(9, { since: 8 }))
  }
  await settle()
  assert.deepEqual(new Set(sequences(all)), new Set([1]))
  assert.equal(pages.network.log.length, before + all.length, 'each page sends one request')
  assert.deepEqual(errors, [])
  // A list that is not newer does not restart the wait of `PATIENCE`. Only a newer list restarts this wait.
  const polls = Promise.all(others.map(() => pages.network.request(LIST(1))))
  for (const poll of await polls) poll.text(list(1))
  ;(await pages.network.request(LIST(1))).text(list(1))
  await settle()
  assert.deepEqual(new Set(modes(others)), new Set(['shared']))
  for (let ms = 0; ms < PATIENCE; ms += 500) {
    mallory.postMessage(list(1))
    // In this test the leader's stream works, but its messages do not reach the other pages.
    await pages.elapse(500)
  }
  assert.ok(modes(others).every(mode => mode === 'poll'))
  void stream
  close(all)
})

test('C1: a page that starts with an older list than the leader requests the missing part', async () => {
  const { pages, stream, all } = await ten()
  stream.send(list(5, { since: 1 }))
  await settle()
  const late = await pages.open(list(3))
  stream.send(list(6, { since: 5 }))
  ;(await pages.network.request(LIST(3))).text(list(6, { since: 3 }))
  await settle()
  assert.equal(late.status().sequence, 6)
  assert.equal(pages.streams, 1)
  close([late, ...all])
})

test('C1: without Web Locks, or if the browser refuses them, each page polls', async () => {
  for (const locks of [
    undefined,
    { request: () => Promise.reject(new DOMException('denied', 'SecurityError')) } as Locks,
  ]) {
    const pages = new Pages()
    pages.locks = locks
    const page = await pages.open()
    ;(await pages.network.request(LIST(1))).text(list(2, { since: 1 }))
    await settle()
    await pages.elapse(TTL)
    const change = told(page, 'change')
    ;(await pages.network.request(LIST(2))).text(list(3, { since: 2 }))
    await change
    assert.deepEqual([page.status().sequence, page.status().mode, pages.streams], [3, 'poll', 0])
    page.close()
  }
})

test('C1: a page that is frozen or left gives the stream to the next, and requests the missing part when it is back', async () => {
  const { pages, leader, stream, others } = await ten()
  pages.away(0, true)
  await stream.aborted
  const next = await pages.network.request(STREAM(1))
  next.open()
  next.send(list(2, { since: 1 }))
  await settle()
  assert.deepEqual([leader.status().sequence, others[0]!.status().sequence], [1, 2])
  const asked = pages.network.log.length
  await pages.elapse(TTL)
  next.send(list(2, { since: 2, iat: 1_700_000_050 }))
  await settle()
  assert.equal(pages.network.log.length, asked, 'a page that is away asks for nothing')
  pages.away(0, false)
  ;(await pages.network.request(LIST(1))).text(list(2, { since: 1 }))
  await settle()
  assert.equal(leader.status().sequence, 2)
  next.send(list(3, { since: 2, iat: 1_700_000_060 }))
  await settle()
  assert.deepEqual([leader.status().sequence, leader.status().mode], [3, 'shared'])
  close([leader, ...others])
})

test('C1: a page whose lock is stolen ends its stream, and relies on the other pages', async () => {
  const pages = new Pages()
  let steal = (_: Error) => {}
  const { locks } = pages
  pages.locks = {
    request: (name, options, work) =>
      Promise.race([locks!.request(name, options, work), new Promise<never>((_, reject) => (steal = reject))]),
  }
  const page = await pages.open()
  const stream = await pages.network.request(STREAM(1))
  stream.open()
  await settle()
  assert.equal(page.status().mode, 'stream')
  const errors: Error[] = []
  page.on('error', error => errors.push(error))
  steal(new DOMException('stolen', 'AbortError'))
  await stream.aborted
  await settle()
  assert.deepEqual([page.status().mode, errors.length], ['shared', 0])
  page.close()
})

test('C1: a verifier with `transport: "poll"` and a lazy verifier share no stream', async () => {
  const pages = new Pages()
  const polling = await pages.open(list(1), { transport: 'poll' })
  ;(await pages.network.request(LIST(1))).text(list(1))
  polling.close()
  const lazy = makeConnectVerifier(fakeModule, pages.host, () => pages.origin()).lazy({
    issuer: ISSUER,
    audience: 'api',
    fetch: pages.network.fetch,
  })
  const put: Promise<unknown>[] = []
  const refreshed = lazy.refresh({ waitUntil: promise => void put.push(promise) })
  await pages.network.begin(list(1))
  await refreshed
  await Promise.all(put)
  assert.deepEqual([pages.streams, pages.names.size], [0, 0])
})

test('C1: a page without a first list does not lead', async () => {
  const pages = new Pages()
  const connecting = makeConnectVerifier(fakeModule, pages.host, () => pages.origin())({
    issuer: ISSUER,
    audience: 'api',
    fetch: pages.network.fetch,
  })
  ;(await pages.network.request(METADATA_URL)).json({ ...METADATA, issuer: 'https://other.example' })
  await assert.rejects(connecting)
  assert.equal(pages.names.size, 0)
})

test('C1: pages and workers count as browsers, servers with the same globals do not', () => {
  const [location, document, importScripts] = [{}, {}, () => {}]
  const node = { process: { versions: { node: '24.0.0' } } }
  for (const [globals, expected] of [
    [{ location, document }, true],
    [{ location, importScripts }, true],
    [{ location, document, process: { versions: {} } }, true], // a bundler's `process`
    [{ location, document, process: { versions: { node: '24.0.0' }, type: 'renderer' } }, true], // Electron
    [node, false],
    [{ ...node, location, document }, false], // jsdom, happy-dom
    [{ Deno: {}, location }, false],
    [{}, false],
    [{ importScripts }, false],
  ] as const)
    assert.equal(isBrowser(globals), expected)
  assert.equal(isBrowser(), false)
})
