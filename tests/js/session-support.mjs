// Browser pages with a session, and a real issuer. Between them is a proxy, which can be unreachable and can lose
// answers.
import { EventEmitter, once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, request as forward } from 'node:http'
import { join } from 'node:path'
import { contextOf, until } from './browsers.mjs'
import { PACKAGE, issuerOf } from './support.mjs'

export const PASSWORD = 'down the rabbit hole'
/** One hour in seconds. An access token has a shorter lifetime. */
export const HOUR = 3600

/** Returns the parts that a story about sessions needs. `open` opens a new tab. */
export async function worldOf(story, { browser, preferences, storage = 'shared', verifier = false }) {
  const issuer = await issuerOf(story)
  await issuer.admin('/subjects', { sub: 'alice', password: PASSWORD })
  const front = await startFront(story, issuer.url)
  const context = await contextOf(story, browser, preferences)
  const flaws = []
  /** Emits the path of each request, with the page that sent the request. */
  const requests = new EventEmitter()
  const open = async () => {
    const page = await context.newPage()
    page.on('pageerror', error => flaws.push(error))
    page.on('request', request => requests.emit(new URL(request.url()).pathname, page))
    const options = new URLSearchParams({ storage, ...(verifier && { verifier: issuer.url }) })
    await page.goto(`${front.url}/app?${options}`)
    await page.evaluate(() => session.ready)
    return page
  }
  return { issuer, front, context, open, flaws, requests }
}

export const signIn = (page, username = 'alice') =>
  page.evaluate(([username, password]) => session.login({ username, password }), [username, PASSWORD])

/** Resolves when the session of this page has this state. */
export const state = (page, wanted) =>
  page.evaluate(
    wanted =>
      new Promise(resolve => {
        const look = () => session.state === wanted && resolve(wanted)
        session.onChange(look)
        look()
      }),
    wanted,
  )

export const states = pages => Promise.all(pages.map(page => page.evaluate(() => session.state)))
export const token = page => page.evaluate(() => session.getAccessToken().catch(error => error.code))
export const sidOf = token => JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).sid

/** Resolves when the session of this page returns a token that differs from `before`. */
export const renewed = (page, before) =>
  until(page, async before => (await session.getAccessToken()) !== before, before)

/**
 * Moves the page's clock forward by `seconds`. Then dispatches an event, which says that the network is back or that
 * the page is visible again.
 */
export const wake = (page, seconds, event = 'online') =>
  page.evaluate(
    ([seconds, event]) => {
      const { now } = Date
      Date.now = () => now() + seconds * 1000
      // A browser dispatches `visibilitychange` on the document, and the event bubbles to the window. This function
      // dispatches every event in this way.
      document.dispatchEvent(new Event(event, { bubbles: true }))
    },
    [seconds, event],
  )

/**
 * Serves the page and the package. Forwards all other requests to the issuer. So the page and the issuer have the same
 * origin.
 */
export async function startFront(story, issuer) {
  const front = new EventEmitter()
  const state = Object.assign(front, {
    url: '',
    /** While this is true, the issuer is unreachable. */
    down: false,
    /**
     * Decides how the proxy answers a request for this path. `'lost'`: the proxy cuts the connection. `'held'`: the
     * proxy never sends the answer. `undefined`: the proxy sends the answer.
     */
    fate: () => undefined,
    /** The paths of the requests that were answered, with the statuses of the answers. */
    answered: [],
    count: path => state.answered.filter(answer => answer.path === path).length,
  })
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://x')
    if (pathname === '/app') return response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE)
    if (pathname.startsWith('/package/')) {
      const body = await readFile(join(PACKAGE, pathname.slice('/package/'.length)))
      return response.writeHead(200, { 'content-type': 'text/javascript' }).end(body)
    }
    if (pathname === '/moved') {
      const location = `http://localhost:${server.address().port}/elsewhere`
      return response.writeHead(302, { location }).end()
    }
    if (state.down) return request.socket.destroy()
    const { method, headers } = request
    const upstream = forward(issuer + request.url, { method, headers }, answer => {
      const fate = state.fate(pathname)
      state.answered.push({ path: pathname, status: answer.statusCode })
      if (fate !== 'held') front.emit(pathname, answer.statusCode)
      if (fate === 'lost') return request.socket.destroy()
      if (fate === 'held') return front.emit('held')
      response.writeHead(answer.statusCode, answer.headers)
      answer.pipe(response)
    })
    upstream.on('error', () => request.socket.destroy())
    request.pipe(upstream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  state.url = `http://127.0.0.1:${server.address().port}`
  story.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return state
}

const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module">
import { createSession } from '/package/session.js'
import { connectVerifier } from '/package/index.js'

const options = new URLSearchParams(location.search)
const shared = {
  get: async key => localStorage.getItem(key),
  set: async (key, value) => localStorage.setItem(key, value),
  delete: async key => localStorage.removeItem(key),
}
const storage = options.get('storage')
const issuer = options.get('verifier')
globalThis.session = createSession({
  issuer: location.origin,
  storage: storage === 'shared' ? shared : storage,
  ...(issuer && { verifier: () => connectVerifier({ issuer, audience: 'api' }) }),
})
</script>`
