// C2: between a verifier and the real issuer there is a cache that repeats an old list.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { until } from './browsers.mjs'
import { after, connectVerifier, isTokenError, openSession, refusal, issuerOf } from './support.mjs'
import { refuses, tabsOf } from './tabs-support.mjs'

const options = { timeout: 120_000 }
const HEARTBEAT = '3'

/**
 * Starts a caching proxy. If the proxy has an answer for an address, the proxy never asks the issuer for this address
 * again. The proxy ignores all request headers.
 */
async function startCachingProxy(story) {
  const proxy = { url: '', target: '', seen: new Map(), hits: [], passed: [] }
  const server = createServer(async (request, response) => {
    const { url } = request
    const isKept = url.startsWith('/revocations') && !url.startsWith('/revocations/stream')
    try {
      if (isKept && proxy.seen.has(url)) proxy.hits.push(url)
      else {
        const answer = await fetch(proxy.target + url)
        if (url.startsWith('/revocations/stream')) return response.writeHead(404).end()
        const head = { 'content-type': answer.headers.get('content-type') }
        proxy.seen.set(url, { status: answer.status, head, body: await answer.text() })
        if (isKept) proxy.passed.push(url)
      }
      const { status, head, body } = proxy.seen.get(url)
      response.writeHead(status, head).end(body)
    } catch {
      request.socket.destroy()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy.url = `http://127.0.0.1:${server.address().port}`
  story.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return proxy
}

test('C2: a kick gets past a caching proxy, and the proxy is reported: Node', options, async story => {
  const proxy = await startCachingProxy(story)
  const issuer = await issuerOf(story, { heartbeat: HEARTBEAT, args: ['--issuer', proxy.url] })
  proxy.target = issuer.url
  const verifier = await connectVerifier({ issuer: proxy.url, audience: 'api', transport: 'poll' })
  story.after(() => verifier.close())
  const errors = []
  verifier.on('error', error => errors.push(error))
  const { access_token } = await openSession(issuer, 'alice')
  verifier.verify(access_token)

  // Waits until the cache contains the polled address and its list. The test kicks the user only after this wait.
  const polled = () => proxy.hits.filter(url => url.includes('since=')).length > 0
  await after(verifier, 'error', polled)
  const hits = proxy.hits.length
  await issuer.admin('/subjects/alice/revoke')
  assert.equal((await refusal(verifier, access_token)).evidence.by, 'gid')
  const asked = proxy.passed.filter(url => /[?&]fresh=\d+$/.test(url))
  assert.ok(asked.length >= 1)
  // After each newer list, the cache can answer at most two polls with an old list. Then the verifier sends a request
  // to an address that the cache does not know. The test allows one more answer of the cache.
  assert.ok(proxy.hits.length - hits <= 3, `${proxy.hits.length - hits} answers of the cache since the kick`)
  const told = await after(verifier, 'error', () => errors.find(error => error.evidence?.cached === true))
  assert.ok(isTokenError(told, 'ERR_LIST_NOT_NEWER'))
  assert.match(told.message, /a cache \(a service worker, proxy or CDN\) answered/)
})

test(
  'C2: a kick gets past a service worker that answers from its cache, in every tab: Chromium',
  options,
  async story => {
    const { issuer, front, open, flaws } = await tabsOf(story, 'Chromium', {
      heartbeat: HEARTBEAT,
      files: { '/caching.js': CACHING },
      answer: ({ url }, response) => url.startsWith('/revocations/stream') && response.writeHead(404).end(),
    })
    const installing = await open('/app')
    await installing.evaluate(async () => {
      await navigator.serviceWorker.register('/caching.js')
      await navigator.serviceWorker.ready
    })
    await installing.close()
    const tabs = [await open(), await open()]
    for (const page of tabs) {
      await page.evaluate(async () => void (await connected))
      assert.ok(await page.evaluate(() => navigator.serviceWorker.controller !== null))
    }
    const bob = await openSession(issuer, 'bob')
    await issuer.admin('/subjects/bob/revoke')
    await Promise.all(tabs.map(page => refuses(page, bob.access_token)))
    assert.ok(front.asked.some(url => /^\/revocations\?.*fresh=\d+$/.test(url)))
    await Promise.any(
      tabs.map(page =>
        until(page, () => errors.some(({ code, evidence }) => code === 'ERR_LIST_NOT_NEWER' && evidence.cached)),
      ),
    )
    assert.deepEqual(flaws, [])
  },
)

const CACHING = `
addEventListener('install', event => event.waitUntil(skipWaiting()))
addEventListener('activate', event => event.waitUntil(clients.claim()))
addEventListener('fetch', event => {
  const { pathname } = new URL(event.request.url)
  if (pathname !== '/revocations') return
  event.respondWith(
    (async () => {
      const cache = await caches.open('lists')
      const kept = await cache.match(event.request.url)
      if (kept) return kept
      const answer = await fetch(event.request.url)
      await cache.put(event.request.url, answer.clone())
      return answer
    })(),
  )
})
`
