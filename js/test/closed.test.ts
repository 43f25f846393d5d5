// C8: a call on a closed verifier is a mistake of the caller, and is never reported as an outage of the issuer.
import assert from 'node:assert/strict'
import test from 'node:test'
import { makeConnectVerifier, makeCreateVerifier } from '../src/api.js'
import { isTokenError } from '../src/errors.js'
import type { ConnectedVerifier, LazyVerifier, Verifier } from '../types/index.js'
import {
  Context,
  FakeHost,
  FakeNetwork,
  FakeRequest,
  ISSUER,
  METADATA,
  METADATA_URL,
  fakeModule,
  list,
  settle,
  since,
} from './fakes.js'

type AnyVerifier = Verifier & Partial<Omit<ConnectedVerifier, keyof Verifier>>

const rules = { issuer: ISSUER, audience: 'api' }
const isClosed = (error: unknown) => isTokenError(error, 'ERR_VERIFIER_CLOSED')
const LIST = METADATA.revocation_list_uri

class World {
  readonly network = new FakeNetwork()
  readonly host = new FakeHost()
  readonly connect = makeConnectVerifier(fakeModule, this.host)
  readonly options = { ...rules, fetch: this.network.fetch, transport: 'poll' } as const

  created = async () => makeCreateVerifier(fakeModule, this.host)(rules)

  connected = async () => {
    const connecting = this.connect(this.options)
    await this.network.begin(list(1))
    return connecting
  }

  /** Creates a lazy verifier without a list. */
  fresh = async () => this.connect.lazy(this.options)

  lazy = async () => {
    const verifier = this.connect.lazy(this.options)
    const first = verifier.refresh()
    await this.network.begin(list(1))
    await first
    return verifier
  }
}

/** Every method, and whether a closed verifier refuses a call of this method. */
const methods: Record<string, readonly [refused: boolean, call: (verifier: AnyVerifier) => unknown]> = {
  load: [true, verifier => verifier.load(list(9))],
  verify: [true, verifier => verifier.verify('token')],
  assertNotRevoked: [true, verifier => verifier.assertNotRevoked({})],
  refresh: [true, verifier => verifier.refresh!()],
  status: [false, verifier => verifier.status()],
  on: [false, verifier => verifier.on!('change', () => {})],
  off: [false, verifier => verifier.off!('change', () => {})],
  close: [false, verifier => verifier.close()],
  dispose: [false, verifier => verifier[Symbol.dispose]()],
}

/**
 * Returns the name that this table has for a method. `Symbol.dispose` has no fixed text: if the engine lacks this
 * symbol, Node.js adds a symbol with the text `nodejs.dispose`.
 */
const nameOf = (method: string | symbol) => (method === Symbol.dispose ? 'dispose' : String(method))

for (const kind of ['created', 'connected', 'fresh', 'lazy'] as const)
  test(`C8: each method of a closed verifier says that it was closed: ${kind}`, async () => {
    const world = new World()
    const verifier: AnyVerifier = await world[kind]()
    const asked = world.network.log.length
    verifier.close()
    const own = Reflect.ownKeys(verifier).filter(name => typeof Reflect.get(verifier, name) === 'function')
    for (const name of own) {
      const [isRefused, call] = methods[nameOf(name)] ?? assert.fail(`this table lacks ${String(name)}`)
      const called = async () => call(verifier)
      if (isRefused) await assert.rejects(called, isClosed, String(name))
      else await assert.doesNotReject(called, String(name))
    }
    await settle()
    assert.equal(world.network.log.length, asked, 'no request is sent to the issuer')
  })

const answer = (request: FakeRequest, text: string) =>
  request.url === METADATA_URL ? request.json(METADATA) : request.text(text)

const later: [fate: string, act: (world: World, url: string) => Promise<void>][] = [
  ['answers', async ({ network }, url) => answer(await network.request(url), list(2))],
  ['answers without a newer list', async ({ network }, url) => answer(await network.request(url), list(1))],
  ['cannot be reached', async ({ network }, url) => (await network.request(url)).refuse()],
  ['answers with another text', async ({ network }, url) => (await network.request(url)).text('no list')],
]
const started: [kind: 'connected' | 'fresh' | 'lazy', ctx: Context | undefined, url: string][] = [
  ['connected', undefined, since(LIST, 1)],
  ['fresh', undefined, METADATA_URL],
  ['fresh', new Context(), METADATA_URL],
  ['lazy', undefined, since(LIST, 1)],
]

for (const [kind, ctx, url] of started)
  for (const [fate, act] of later)
    test(`C8: the verifier is closed during a refresh, and then the issuer ${fate}: ${kind}${ctx ? ' with a context' : ''}`, async () => {
      const world = new World()
      const verifier = (await world[kind]()) as ConnectedVerifier | LazyVerifier
      verifier.on('error', error => assert.fail(String(error)))
      world.host.elapse(15_000) // a refresh is due
      const refreshing = assert.rejects(
        verifier.refresh(ctx as never),
        error => isClosed(error) || assert.fail(String(error)),
      )
      await settle()
      verifier.close()
      const asked = world.network.log.length
      await act(world, url)
      await refreshing
      assert.equal(world.network.log.length, asked, 'no further request is sent to the issuer')
    })
