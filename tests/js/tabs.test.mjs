// C1: all tabs of a browser use one stream in every situation, in Chromium and Firefox, with the real issuer.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { launchChromium } from '../../js/packaging/tools.mjs'
import { kill, until } from './browsers.mjs'
import { openSession } from './support.mjs'
import { inMode, mode, refuses, tabsOf } from './tabs-support.mjs'

const options = { timeout: 240_000 }
const PASSWORD = 'down the rabbit hole'

for (const browser of ['Chromium', 'Firefox']) {
  test(
    `C1: ten tabs share one stream, all of them can log in, and all learn of a kick: ${browser}`,
    options,
    async story => {
      const { issuer, front, tab, flaws } = await tabsOf(story, browser, { heartbeat: '20' })
      await issuer.admin('/subjects', { sub: 'alice', password: PASSWORD })
      const tabs = []
      for (let count = 0; count < 10; count++) tabs.push(await tab())
      await inMode(tabs[0], 'stream')
      assert.deepEqual(await Promise.all(tabs.slice(1).map(mode)), Array(9).fill('shared'))

      for (const page of [tabs[6], tabs[9]])
        await page.evaluate(password => session.login({ username: 'alice', password }), PASSWORD)
      assert.deepEqual([front.streams, front.open], [1, 1])

      const bob = await openSession(issuer, 'bob')
      await issuer.admin('/subjects/bob/revoke')
      await Promise.all(tabs.map(page => refuses(page, bob.access_token)))
      assert.equal(front.most, 1)

      // The tab that holds the stream is killed suddenly.
      await kill(tabs[0])
      const others = tabs.slice(1)
      const next = await Promise.any(others.map(async page => (await inMode(page, 'stream'), page)))
      const carol = await openSession(issuer, 'carol')
      await issuer.admin('/subjects/carol/revoke')
      await Promise.all(others.map(page => refuses(page, carol.access_token)))
      assert.deepEqual([await mode(next), front.streams], ['stream', 2])
      assert.deepEqual(flaws, [])
    },
  )

  test(`C1: tabs request the list on their own if their leader, a worker, hangs: ${browser}`, options, async story => {
    const hanging = []
    const { issuer, front, open, flaws } = await tabsOf(story, browser, {
      heartbeat: '2',
      files: {
        '/worker.js': WORKER,
        '/with-worker': '<script>worker = new Worker("/worker.js", { type: "module" })</script>',
      },
      answer: ({ url }, response) => url === '/never' && hanging.push(response),
    })
    story.after(() => hanging.forEach(response => response.destroy()))
    const owner = await open('/with-worker')
    await owner.evaluate(() => new Promise(leads => (worker.onmessage = leads)))
    const tabs = [await open(), await open()]
    for (const page of tabs) await page.evaluate(async () => void (await connected))
    await Promise.all(tabs.map(page => inMode(page, 'shared')))

    await owner.evaluate(() => worker.postMessage('be stuck'))
    while (hanging.length === 0) await new Promise(resolve => setImmediate(resolve))
    const bob = await openSession(issuer, 'bob')
    await issuer.admin('/subjects/bob/revoke')
    await Promise.all(tabs.map(page => refuses(page, bob.access_token)))
    assert.ok(
      front.asked.some(url => url.startsWith('/revocations?since=')),
      'by asking the issuer',
    )
    assert.equal(front.streams, 1)

    // The page to which the worker belongs is closed. This releases the lock.
    await owner.close()
    const next = await Promise.any(tabs.map(async page => (await inMode(page, 'stream'), page)))
    assert.equal(await mode(next), 'stream')
    assert.deepEqual(flaws, [])
  })

  test(`C1: seven tabs without Web Locks poll, and a sandboxed frame too: ${browser}`, options, async story => {
    const { issuer, front, tab, open, flaws } = await tabsOf(story, browser, {
      heartbeat: '2',
      files: {
        '/frame': (await frame()).replace('FRAME', 'sandbox="allow-scripts"'),
      },
    })
    await issuer.admin('/subjects', { sub: 'alice', password: PASSWORD })
    const tabs = []
    for (let count = 0; count < 7; count++) tabs.push(await tab('/app?without-locks'))
    assert.deepEqual(await Promise.all(tabs.map(mode)), Array(7).fill('poll'))
    await tabs[6].evaluate(password => session.login({ username: 'alice', password }), PASSWORD)
    const bob = await openSession(issuer, 'bob')
    await issuer.admin('/subjects/bob/revoke')
    await Promise.all(tabs.map(page => refuses(page, bob.access_token)))

    const framed = await open('/frame')
    await until(framed, () => globalThis.said !== undefined)
    assert.deepEqual(await framed.evaluate(() => said), { origin: 'null', mode: 'poll' })
    assert.equal(front.streams, 0)
    assert.deepEqual(flaws, [])
  })
}

test('C1: a page that gets no connection reports why: Chromium', options, async story => {
  const hanging = []
  const { front, tab } = await tabsOf(story, 'Chromium', {
    answer: ({ url }, response) => url === '/never' && hanging.push(response),
  })
  story.after(() => hanging.forEach(response => response.destroy()))
  const page = await tab('/app?without-locks')
  const full = new Promise(resolve => front.on('/never', () => hanging.length === 11 && resolve()))
  await page.evaluate(() => {
    // Requests with cookies and requests without cookies have separate connections, so both kinds are sent.
    for (const credentials of ['omit', 'same-origin'])
      for (let connection = 0; connection < 6; connection++) void fetch('/never', { cache: 'no-store', credentials })
  })
  await full
  const said = await page.evaluate(() =>
    Promise.all([
      verifier.refresh().catch(({ message }) => message),
      session.login({ username: 'alice', password: 'x' }).catch(({ code, message }) => `${code} ${message}`),
    ]),
  )
  assert.match(
    said[0],
    /did not answer in 10000 ms; or other tabs hold the six connections .*HTTP\/2 has no such limit/,
  )
  assert.match(said[1], /ERR_SESSION_OFFLINE .*six HTTP\/1\.1 connections.*no answer in 10000 ms/)
})

test(
  'C1: a page with the stream goes into the back/forward cache, and comes back up to date: Chromium',
  options,
  async story => {
    // Playwright turns off the back/forward cache of Chromium, and this test turns the cache on again. Firefox is not
    // used, because Firefox does not cache a page that holds or awaits a lock.
    const chromium = await launchChromium({ ignoreDefaultArgs: ['--disable-back-forward-cache'] })
    story.after(() => chromium.close())
    const { issuer, tab, front } = await tabsOf(story, 'Chromium', {
      context: await chromium.newContext(),
      heartbeat: '2',
      files: { '/elsewhere': '<title>elsewhere</title>' },
    })
    const [first, second] = [await tab(), await tab()]
    await inMode(first, 'stream')
    const bob = await openSession(issuer, 'bob')
    // The page sends requests to report its state. A call of `evaluate` might never return while the page is restored.
    await first.evaluate(token => {
      addEventListener('pageshow', ({ persisted }) => persisted && fetch('/told/back'))
      verifier.on('change', () => {
        try {
          verifier.verify(token)
        } catch ({ code }) {
          void fetch(`/told/${code}`)
        }
      })
      setInterval(() => verifier.status().mode === 'shared' && fetch('/told/shared'), 200)
    }, bob.access_token)
    await first.goto(`${front.url}/elsewhere`)
    await inMode(second, 'stream')
    await issuer.admin('/subjects/bob/revoke')
    await refuses(second, bob.access_token)
    const told = Promise.all(['/told/back', '/told/ERR_JWT_REVOKED', '/told/shared'].map(path => once(front, path)))
    // `goBack` waits for a load event, but a restored page has no load event. The promise of `goBack` rejects when the
    // browser is closed.
    first.goBack({ timeout: 0 }).catch(() => {})
    await told
    assert.equal(front.streams, 2)
  },
)

const WORKER = `
import { connectVerifier } from '/package/index.js'
const verifier = await connectVerifier({ issuer: location.origin, audience: 'api' })
onmessage = () => {
  const request = new XMLHttpRequest()
  request.open('GET', '/never', false)
  request.send()
}
const look = () => (verifier.status().mode === 'stream' ? postMessage('leads') : setTimeout(look, 50))
look()
`

/** Returns a page with a frame. The frame follows the list and reports its mode. */
async function frame() {
  const inner = `<script type="module">
import { connectVerifier } from 'ORIGIN/package/index.js'
const verifier = await connectVerifier({ issuer: 'ORIGIN', audience: 'api' })
setTimeout(() => parent.postMessage({ origin: self.origin, mode: verifier.status().mode }, '*'), 500)
</script>`
  return `<!doctype html><script>
onmessage = ({ data }) => (globalThis.said = data)
addEventListener('DOMContentLoaded', () => {
  document.querySelector('iframe').srcdoc = ${JSON.stringify(inner).replaceAll('</', '<\\/')}.replaceAll('ORIGIN', location.origin)
})
</script><iframe FRAME></iframe>`
}
