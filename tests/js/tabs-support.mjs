// Pages that follow one issuer through a proxy. The proxy counts their streams.
import { EventEmitter, once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, request as forward } from 'node:http'
import { join } from 'node:path'
import { contextOf, until } from './browsers.mjs'
import { PACKAGE, issuerOf } from './support.mjs'

/**
 * Starts a real issuer and a proxy, and opens a browser. The proxy serves the issuer and the pages from one origin. The
 * proxy uses HTTP/1.1, so the browser opens at most six connections. `answer` can answer a request instead of the
 * issuer.
 */
export async function tabsOf(story, browser, { heartbeat, files = {}, answer = () => false, context } = {}) {
  /** Emits the address of each request to the issuer. */
  const front = Object.assign(new EventEmitter(), { url: '', streams: 0, open: 0, most: 0, asked: [] })
  let target = ''
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://x')
    if (pathname in files) return response.writeHead(200, { 'content-type': typeOf(pathname) }).end(files[pathname])
    if (pathname === '/app') return response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE)
    if (pathname.startsWith('/package/')) {
      const head = { 'content-type': 'text/javascript', 'access-control-allow-origin': '*' }
      return response.writeHead(200, head).end(await readFile(join(PACKAGE, pathname.slice('/package/'.length))))
    }
    front.asked.push(request.url)
    front.emit(request.url)
    if (answer(request, response)) return
    if (pathname === '/revocations/stream') {
      front.streams++
      front.most = Math.max(front.most, ++front.open)
      response.on('close', () => front.open--)
    }
    const upstream = forward(target + request.url, { method: request.method, headers: request.headers }, answer => {
      response.writeHead(answer.statusCode, answer.headers)
      answer.pipe(response)
    })
    upstream.on('error', () => request.socket.destroy())
    response.on('close', () => upstream.destroy())
    request.pipe(upstream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  front.url = `http://127.0.0.1:${server.address().port}`
  story.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const issuer = await issuerOf(story, { heartbeat, args: ['--issuer', front.url] })
  target = issuer.url
  context ??= await contextOf(story, browser)
  const flaws = []
  const open = async (path = '/app') => {
    const page = await context.newPage()
    page.on('pageerror', error => flaws.push(error))
    await page.goto(front.url + path)
    return page
  }
  /** Opens a new tab with a verifier. */
  const tab = async path => {
    const page = await open(path)
    await page.evaluate(async () => void (await connected))
    return page
  }
  return { issuer, front, context, open, tab, flaws }
}

const typeOf = path => (path.endsWith('.js') ? 'text/javascript' : 'text/html')

export const mode = page => page.evaluate(() => verifier.status().mode)
export const inMode = (page, wanted) => until(page, wanted => verifier.status().mode === wanted, wanted)

/** Resolves when this page refuses the token as revoked. */
export const refuses = (page, token) =>
  until(
    page,
    token => {
      try {
        verifier.verify(token)
        return false
      } catch (error) {
        return error.code === 'ERR_JWT_REVOKED'
      }
    },
    token,
  )

const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script>
if (location.search === '?without-locks') Object.defineProperty(navigator, 'locks', { value: undefined })
</script><script type="module">
import { connectVerifier } from '/package/index.js'
import { createSession } from '/package/session.js'

const issuer = location.origin
globalThis.errors = []
globalThis.session = createSession({ issuer, storage: 'memory' })
globalThis.connected = connectVerifier({ issuer, audience: 'api' }).then(verifier => {
  globalThis.verifier = verifier
  verifier.on('error', ({ code, message, evidence }) => errors.push({ code, message, evidence }))
})
</script>`
