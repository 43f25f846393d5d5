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
    // Until `connect` resolves, the program cannot add a listener, but the store can already fail.
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
    // In a browser, a lazy verifier only polls. A browser opens at most six connections to a host, and a stream would
    // occupy one of them.
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
 * Pages of a browser use Web Locks to choose the page that holds the stream. In a browser without Web Locks, no page
 * holds a stream, and each page polls.
 */
function streamOf(issuer: string, wantsStream: boolean, origin: Origin | undefined) {
  if (origin === undefined) return { wantsStream }
  const { locks } = origin
  if (locks === undefined) return { wantsStream: false }
  return { wantsStream, shareable: { issuer, origin: { ...origin, locks } } }
}

/** The result has only the public methods of the verifier. Each method also works without its object. */
const facade = (local: LocalVerifier): Verifier => ({
  load: (list, at) => local.load(list, at),
  verify: (token, at) => local.verify(token, at),
  assertNotRevoked: (payload, options) => local.assertNotRevoked(payload, options),
  status: at => local.status(at),
  ...closing(() => local.close()),
})

/**
 * Rejects with `ERR_VERIFIER_CLOSED` if the verifier is closed before or during the refresh. In that case no other
 * error is reported, because the application itself ended the request.
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
 * Returns `close`, and also `Symbol.dispose` if the platform has this symbol. The type always includes
 * `Symbol.dispose`. On a platform without this symbol the difference has no effect, because no program can use `using`.
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
      // The follower must be closed first, because its `close` still saves data.
      follower.close()
      remote.close()
    }),
  }
}
