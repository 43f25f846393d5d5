// doorlist/session in Chromium: tabs, outages and kicks of a real issuer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tellStories } from './session-stories.mjs'
import { HOUR, sidOf, signIn, state, states, token, wake, worldOf } from './session-support.mjs'

const options = { timeout: 60_000 }

tellStories('shared')

test('the issuer goes away and comes back, and nobody is signed out', options, async story => {
  const { open, issuer } = await worldOf(story)
  const pages = [await open(), await open()]
  await signIn(pages[0])
  await state(pages[1], 'active')
  const sid = sidOf(await token(pages[0]))
  await issuer.stop()
  await Promise.all(pages.map(page => wake(page, HOUR)))
  await Promise.all(pages.map(page => state(page, 'offline')))
  assert.equal(await token(pages[0]), 'ERR_SESSION_OFFLINE')
  pages.push(await open())
  assert.deepEqual(await states(pages), ['offline', 'offline', 'offline'])
  await issuer.start()
  await Promise.all(pages.map(page => state(page, 'active')))
  assert.equal(sidOf(await token(pages[2])), sid)
})

test('a clock that is wrong by a day signs nobody out, and the issuer’s time is known', options, async story => {
  const { open } = await worldOf(story)
  const page = await open()
  await signIn(page)
  for (const seconds of [-24 * HOUR, 48 * HOUR]) {
    await wake(page, seconds)
    assert.match(await token(page), /^ey/)
    assert.deepEqual(await states([page]), ['active'])
  }
  const off = Math.abs((await page.evaluate(() => session.currentDate().getTime())) - Date.now())
  assert.ok(off < HOUR * 1000, `${off} ms`)
})

test('fetch adds the token for its own origin, and takes it along no redirect', options, async story => {
  const { open, front } = await worldOf(story)
  const page = await open()
  await signIn(page)
  assert.equal(await page.evaluate(() => session.fetch('/sessions').then(answer => answer.status)), 200)
  assert.equal(await page.evaluate(() => fetch('/sessions').then(answer => answer.status)), 401)
  const moved = () => session.fetch('/moved').catch(error => error.code)
  assert.equal(await page.evaluate(moved), 'ERR_REDIRECT_REFUSED')
  assert.deepEqual([front.count('/elsewhere'), front.count('/token')], [0, 0])
})
