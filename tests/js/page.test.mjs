// The demo page in a real browser. A token is decoded, broken, repaired, refreshed and kicked. Two tabs share one
// stream.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contextOf } from './browsers.mjs'
import { demoIssuer, demoOf, kicked, signIn, verdict } from './page-support.mjs'

const options = { timeout: 120_000 }

const payload = async page => JSON.parse(await page.locator('#payload-json').textContent())

test('a token is accepted, broken, repaired, refreshed and kicked', options, async story => {
  const { open, flaws } = await demoOf(story)
  const page = await open()
  await signIn(page, 'alice')
  const before = await payload(page)
  assert.equal(before.sub, 'alice')
  assert.equal(await page.locator('#signed-out').isVisible(), false)

  await page.locator('#break').click()
  await verdict(page, 'refused')
  assert.match(await page.locator('#verdict-detail').textContent(), /ERR_JWS_SIGNATURE_VERIFICATION_FAILED/)
  await page.locator('#break').click()
  await verdict(page, 'accepted')

  await page.locator('#refresh').click()
  await page.waitForFunction(jti => !document.getElementById('payload-json').textContent.includes(jti), before.jti)
  await verdict(page, 'accepted')
  assert.equal((await payload(page)).sid, before.sid)

  await page.locator('#kick').click()
  await kicked(page)
  assert.match(await page.locator('#verdict-detail').textContent(), /ERR_JWT_REVOKED/)
  assert.deepEqual(flaws, [])
})

test('the page reports a wrong password', options, async story => {
  const { open, flaws } = await demoOf(story)
  const page = await open()
  await page.locator('input[name=password]').fill('looking-glass')
  await page.locator('#sign-in button.primary').click()
  await page.locator('#sign-in-error:visible').waitFor()
  assert.notEqual((await page.locator('#sign-in-error').textContent()).trim(), '')
  assert.deepEqual(flaws, [])
})

test('two tabs share one stream, and both see the kick', options, async story => {
  // This is the default heartbeat interval. With an interval of one second, a delay of half a second would make the
  // verifier open another stream.
  const { issuer, open, streams, flaws } = await demoOf(story, { heartbeat: '10' })
  const first = await open()
  await first.locator('#list-mode', { hasText: 'this tab' }).waitFor()
  const second = await open()
  await second.locator('#list-mode', { hasText: 'another tab' }).waitFor()
  await signIn(first, 'alice')
  await signIn(second, 'alice')

  await issuer.admin('/subjects/alice/revoke')
  await Promise.all([kicked(first), kicked(second)])
  assert.equal(streams.length, 1, 'one stream for both')

  // When the tab that holds the stream is closed, the other tab opens a stream.
  await signInAgain(second, 'bob')
  await first.close()
  await second.locator('#list-mode', { hasText: 'this tab' }).waitFor()
  await issuer.admin('/subjects/bob/revoke')
  await kicked(second)
  assert.equal(streams.length, 2)
  assert.deepEqual(flaws, [])
})

async function signInAgain(page, name) {
  await page.locator('#sign-in-again').click()
  await page.locator('#signed-out').waitFor()
  await signIn(page, name)
}

test('in an outage the page continues, and shows the age of its list', options, async story => {
  const { issuer, open, flaws } = await demoOf(story)
  const page = await open()
  await signIn(page, 'alice')
  await issuer.stop()
  await page.locator('#list-age', { hasText: 'stale' }).waitFor()
  await verdict(page, 'accepted')
  await issuer.start()
  await issuer.admin('/subjects/alice/revoke')
  await kicked(page)
  assert.deepEqual(flaws, [])
})

for (const browser of ['Chromium', 'Firefox']) {
  test(
    `the duration of a check is above zero, even with the coarse clock of a page: ${browser}`,
    options,
    async story => {
      const [issuer, context] = await Promise.all([demoIssuer(story), contextOf(story, browser)])
      const page = await context.newPage()
      const shown = word => page.waitForSelector(`#verdict[data-verdict="${word}"]`)
      await page.goto(issuer.url)
      await page.click('[data-account^="alice:"]')
      await shown('accepted')
      await page.click('#break')
      await shown('refused')
      await page.click('#break')
      await shown('accepted')
      const detail = await page.evaluate(() => document.getElementById('verdict-detail').textContent)
      assert.match(detail, /^checked in [1-9]\d* µs, against a list/)
      await page.click('#kick')
      await shown('refused')
    },
  )
}
