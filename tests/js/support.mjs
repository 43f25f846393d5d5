// Parts that all stories use: the real issuer, the built package, and functions that wait for a result of a verifier.
import { existsSync } from 'node:fs'
import { EventEmitter, once } from 'node:events'
import { createRequire } from 'node:module'
import { connect, createServer } from 'node:net'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { startIssuer } from '../../js/demo/issuer.mjs'

const fromRoot = path => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** The folder of the built npm package. */
export const PACKAGE = built(fromRoot('js/dist'), 'run `make build` first')
/** The binary of the issuer. */
export const BINARY = built(
  process.env.DOORLIST_BINARY ?? fromRoot('target/debug/doorlist'),
  'run `cargo build --package doorlist` first, or name the binary in DOORLIST_BINARY',
)
/**
 * The heartbeat interval in seconds. On a slow machine a heartbeat is sometimes late. This is acceptable, because no
 * test here measures a speed.
 */
const HEARTBEAT = '1'

export const { connectVerifier, createVerifier, isTokenError } = await import(pathToFileURL(`${PACKAGE}/index.js`))
export const { fileStore } = await import(pathToFileURL(`${PACKAGE}/file-store.js`))

/** Imports a development dependency of the npm package. */
export const importDevelopmentPackage = name =>
  import(pathToFileURL(createRequire(fromRoot('js/package.json')).resolve(name)))

/** Starts an issuer. It is removed when the story ends. */
export async function issuerOf(story, { command, args = [], heartbeat = HEARTBEAT } = {}) {
  const issuer = await startIssuer({ binary: BINARY, command, args: ['--heartbeat-secs', heartbeat, ...args] })
  story.after(() => issuer.remove())
  return issuer
}

/** Opens a session for a subject without an account, as an application's back end does. */
export const openSession = (issuer, sub) => issuer.admin('/sessions', { sub })

/** Connects a verifier. It is closed when the story ends. */
export async function verifierOf(story, issuer, options = {}) {
  const verifier = await connectVerifier({ issuer, audience: 'api', ...options })
  story.after(() => verifier.close())
  return verifier
}

/** Calls `look` now, and after each event of this name. Resolves with the first result that is truthy. */
export function after(verifier, event, look) {
  const found = look()
  if (found) return Promise.resolve(found)
  return new Promise((resolve, reject) => {
    const stop = verifier.on(event, () => {
      try {
        const found = look()
        if (!found) return
        stop()
        resolve(found)
      } catch (error) {
        stop()
        reject(error)
      }
    })
  })
}

/**
 * Resolves with the error when the verifier refuses the token: now, or after a later list. If `code` is given, errors
 * with another code are ignored.
 */
export const refusal = (verifier, token, code) =>
  after(verifier, 'change', () => {
    try {
      verifier.verify(token)
    } catch (error) {
      if (!isTokenError(error)) throw error
      return code === undefined || error.code === code ? error : undefined
    }
  })

/**
 * Returns a `fetch` that records the requests for lists and streams. `stream` can change the address of a stream, or
 * reject the request.
 */
export function watchedFetch({ stream = url => url } = {}) {
  const news = new EventEmitter()
  const [lists, streams] = [[], []]
  const watched = async (resource, init) => {
    const url = new URL(resource)
    if (url.pathname.endsWith('/revocations')) lists.push(url)
    if (!url.pathname.endsWith('/revocations/stream')) return fetch(resource, init)
    const response = await fetch(await stream(url), init)
    streams.push(url)
    news.emit('stream')
    return response
  }
  return { fetch: watched, lists, streams, opened: () => once(news, 'stream') }
}

/** Starts a TCP proxy in front of an issuer. The proxy can cut its connections, and can refuse new connections. */
export async function startProxy(story) {
  const sockets = new Set()
  const proxy = { target: 0, refusing: false, url: '', cut: () => sockets.forEach(socket => socket.destroy()) }
  const server = createServer(client => {
    if (proxy.refusing) return client.destroy()
    const upstream = connect(proxy.target, '127.0.0.1')
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      sockets.add(socket)
      socket.pipe(other)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy.url = `http://127.0.0.1:${server.address().port}`
  story.after(() => {
    proxy.cut()
    server.close()
  })
  return proxy
}

function built(path, otherwise) {
  if (!existsSync(path)) throw new Error(`there is no ${path}: ${otherwise}`)
  return path
}
