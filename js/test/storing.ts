// Connected verifiers. The test completely controls their store, their network and their module.
import { makeConnectVerifier } from '../src/api.js'
import type { Instantiate } from '../src/wasm.js'
import type { ConnectOptions, ListStore } from '../types/index.js'
import { FakeHost, FakeNetwork, ISSUER, METADATA, fakeModule, list, since } from './fakes.js'

export const LIST = METADATA.revocation_list_uri
export const STREAM = METADATA.revocation_stream_uri
export const [SNAPSHOT, RECENT] = [`doorlist:${ISSUER}:snapshot`, `doorlist:${ISSUER}:recent`]
export const SAVED = JSON.stringify({ version: 1, trust: { keys: ['first'], dropped: [] }, lists: [list(1)] })

export function starting(store: ListStore, options: Partial<ConnectOptions> = {}, module: Instantiate = fakeModule) {
  const [network, host] = [new FakeNetwork(), new FakeHost()]
  const make = makeConnectVerifier(module, host)
  const rules = { issuer: ISSUER, audience: 'api', fetch: network.fetch, store, ...options }
  return { network, host, connect: () => make(rules), lazy: () => make.lazy(rules) }
}

export async function streaming(store: ListStore, module = fakeModule) {
  const { network, host, connect } = starting(store, {}, module)
  const connecting = connect()
  await network.begin(list(1))
  const verifier = await connecting
  const errors: Error[] = []
  verifier.on('error', error => errors.push(error))
  host.elapse(0)
  const stream = await network.request(since(STREAM, 1))
  stream.open()
  await new Promise(resolve => setImmediate(resolve))
  /**
   * Sends a list one second after the previous list. Resolves when the verifier has accepted the list and has begun the
   * work that the list causes.
   */
  const send = async (text: string) => {
    host.elapse(1_000)
    const { seq, iat } = JSON.parse(text) as { seq: number; iat: number }
    stream.send(text)
    do await new Promise(resolve => setImmediate(resolve))
    while (verifier.status().sequence !== seq || verifier.status().asOf! < iat)
  }
  /** Lets time pass. Every 10 seconds a list arrives. These lists differ only in their `iat`. */
  const beat = async (times: number, seq: number) => {
    for (; times > 0; times--) {
      host.elapse(10_000)
      await send(list(seq, { since: seq, iat: host.now() / 1000 }))
    }
  }
  return { network, host, verifier, errors, stream, send, beat }
}
