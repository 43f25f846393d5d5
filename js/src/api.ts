import type {
  ConnectOptions,
  ConnectVerifier,
  ConnectedVerifier,
  CreateVerifier,
  LazyVerifier,
  Verifier,
} from '../types/index.js'
import { Emitter } from './emitter.js'
import { closedVerifier, isTokenError } from './errors.js'
import { Follower } from './follower.js'
import { host as realHost, type Host } from './host.js'
import { LazyFollower } from './lazy.js'
import { mustHave } from './missing.js'
import { checkConnectOptions, checkVerifierOptions } from './options.js'
import { browserOrigin, type Origin } from './origin.js'
import { RemoteList } from './remote-list.js'
import { LocalVerifier } from './verifier.js'
import type { Instantiate } from './wasm.js'

export const makeCreateVerifier =
  (instantiate: Instantiate, host: Host = realHost): CreateVerifier =>
  options =>
    facade(new LocalVerifier(instantiate, host, checkVerifierOptions(options)))

export function makeConnectVerifier(
  instantiate: Instantiate,
  host: Host = realHost,
  origin: () => Origin | undefined = browserOrigin,
): ConnectVerifier {
  const connect = async (options: ConnectOptions): Promise<ConnectedVerifier> => {
    const { remote, news, withinSecs, store, issuer, wantsStream } = assemble(instantiate, host, options)
    const follower = new Follower(remote, host, news, streamOf(issuer, wantsStream, origin()))
    // With a store, errors may occur before a listener can be added.
    if (store !== undefined) news.hold()
    try {
      await follower.start(withinSecs * 1000)
    } catch (error) {
      remote.close()
      throw error
    }
    if (store !== undefined) news.release(host)
    return {
      ...remoteFacade(remote, news, follower),
      refresh: () => unlessClosed(remote, () => follower.ask()),
    }
  }
  const lazy = (options: ConnectOptions): LazyVerifier => {
    const { remote, news, wantsStream } = assemble(instantiate, host, options)
    // In a browser, a lazy verifier polls within its requests, because a stream would use one of six connections.
    const follower = new LazyFollower(remote, host, news, wantsStream && origin() === undefined)
    return {
      ...remoteFacade(remote, news, follower),
      isLazy: true,
      refresh: ctx => unlessClosed(remote, () => follower.refresh(ctx)),
    }
  }
  return Object.assign(connect, { lazy })
}

function assemble(instantiate: Instantiate, host: Host, unchecked: ConnectOptions) {
  const {
    fetch = (...request) => globalThis.fetch(...request),
    transport,
    connectTimeout: withinSecs = 10,
    store,
    ...rest
  } = checkConnectOptions(unchecked)
  mustHave('AbortController', ...(unchecked.fetch === undefined ? ['fetch'] : []))
  const rules = { __proto__: null, ...rest }
  const news = new Emitter()
  const remote = new RemoteList(() => new LocalVerifier(instantiate, host, rules), { fetch, host }, news, rules, store)
  return { news, remote, wantsStream: transport !== 'poll', withinSecs, store, issuer: rules.issuer }
}

/**
 * Without Web Locks, a browser cannot decide which page holds the stream. Then no page holds a stream, and each page
 * polls.
 */
function streamOf(issuer: string, wantsStream: boolean, origin: Origin | undefined) {
  if (origin === undefined) return { wantsStream }
  const { locks } = origin
  if (locks === undefined) return { wantsStream: false }
  return { wantsStream, shareable: { issuer, origin: { ...origin, locks } } }
}

/** An object that has only the methods. Each method also works without the object. */
const facade = (local: LocalVerifier): Verifier => ({
  load: (list, at) => local.load(list, at),
  verify: (token, at) => local.verify(token, at),
  assertNotRevoked: (payload, options) => local.assertNotRevoked(payload, options),
  status: at => local.status(at),
  ...closing(() => local.close()),
})

/**
 * Rejects with `ERR_VERIFIER_CLOSED`, also if the verifier is closed during the refresh: the application ended the
 * request itself, so this is not an outage of the issuer.
 */
async function unlessClosed(remote: RemoteList, refresh: () => Promise<void>): Promise<void> {
  if (remote.isClosed) throw closedVerifier()
  try {
    await refresh()
  } catch (error) {
    if (!remote.isClosed) throw error
  }
  if (remote.isClosed) throw closedVerifier()
}

/**
 * `close`, and `Symbol.dispose` if the platform has it. The types always declare `Symbol.dispose`, because a platform
 * without it does not support `using` at all.
 */
function closing(close: () => void): Pick<Verifier, 'close' | typeof Symbol.dispose> {
  const named = { close }
  if (Symbol.dispose) Object.assign(named, { [Symbol.dispose]: close })
  return named as Pick<Verifier, 'close' | typeof Symbol.dispose>
}

function remoteFacade(remote: RemoteList, news: Emitter, follower: Follower | LazyFollower) {
  const noticed = (error: unknown) => {
    if (isTokenError(error, 'ERR_JWKS_NO_MATCHING_KEY') && remote.wantKeys()) follower.askSoon()
    return error
  }
  return {
    load: ((list, at) => remote.load(list, at)) satisfies Verifier['load'],
    verify: ((token, at) => {
      try {
        return remote.serving.verify(token, at)
      } catch (error) {
        throw noticed(error)
      }
    }) satisfies Verifier['verify'],
    assertNotRevoked: ((payload, options) => {
      try {
        return remote.serving.assertNotRevoked(payload, options)
      } catch (error) {
        throw noticed(error)
      }
    }) satisfies Verifier['assertNotRevoked'],
    status: (at => ({ ...remote.serving.status(at), mode: follower.mode })) satisfies ConnectedVerifier['status'],
    on: news.on,
    off: news.off,
    ...closing(() => {
      // The follower is closed first, because it then saves unsaved data.
      follower.close()
      remote.close()
    }),
  }
}
