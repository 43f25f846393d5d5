// What is to come out the same wherever the refresh token is kept: in the page's storage, or in the issuer's cookie.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { HOUR, renewed, sidOf, signIn, state, states, token, wake, worldOf } from './session-support.mjs'

const options = { timeout: 60_000 }

export function tellStories(storage) {
  test(`ten tabs wake at once, and one session goes on: ${storage}`, options, async story => {
    const { open, flaws } = await worldOf(story, { storage })
    const pages = [await open()]
    await signIn(pages[0])
    const sid = sidOf(await token(pages[0]))
    while (pages.length < 10) pages.push(await open())
    for (let round = 0; round < 3; round++) {
      await Promise.all(pages.map(page => wake(page, HOUR)))
      const tokens = await Promise.all(pages.map(token))
      assert.deepEqual(new Set(tokens.map(sidOf)), new Set([sid]))
    }
    assert.deepEqual(new Set(await states(pages)), new Set(['active']))
    assert.deepEqual(flaws, [])
  })

  test(`a tab that is killed inside the lock takes nobody along: ${storage}`, options, async story => {
    const { open, front } = await worldOf(story, { storage })
    const [first, second] = [await open(), await open()]
    await signIn(first)
    await state(second, 'active')
    let holds = true
    front.fate = path => (path === '/token' && holds ? 'held' : undefined)
    const held = once(front, 'held')
    await wake(first, HOUR)
    await held
    holds = false
    await wake(second, HOUR)
    await first.close()
    assert.match(await token(second), /^ey/)
    assert.deepEqual(await states([second]), ['active'])
  })

  test(`a lost response ends nothing: ${storage}`, options, async story => {
    const { open, front } = await worldOf(story, { storage })
    const page = await open()
    await signIn(page)
    const sid = sidOf(await token(page))
    // Browsers send a request again by themselves when a connection that was in use breaks: until the page has noticed.
    front.fate = path => (path === '/token' ? 'lost' : undefined)
    const offline = state(page, 'offline')
    await wake(page, HOUR)
    await offline
    front.fate = () => undefined
    await state(page, 'active')
    assert.equal(sidOf(await token(page)), sid)
  })

  test(`signing out in one tab is signing out in all, and at the issuer: ${storage}`, options, async story => {
    const { open, issuer } = await worldOf(story, { storage })
    const pages = [await open(), await open(), await open()]
    await signIn(pages[0])
    await Promise.all(pages.map(page => state(page, 'active')))
    await pages[1].evaluate(() => session.logout())
    await Promise.all(pages.map(page => state(page, 'signed-out')))
    assert.deepEqual((await issuer.subjects())[0].sessions, [])
    assert.equal(await token(await open()), 'ERR_SESSION_SIGNED_OUT')
  })

  test(`signing out offline is completed later, by the page that comes then: ${storage}`, options, async story => {
    const { open, issuer, front } = await worldOf(story, { storage })
    const page = await open()
    await signIn(page)
    front.down = true
    await page.evaluate(() => session.logout())
    assert.deepEqual(await states([page]), ['signed-out'])
    await page.close()
    front.down = false
    const revoked = once(front, '/revoke')
    const later = await open()
    assert.deepEqual(await revoked, [200])
    assert.deepEqual(await states([later]), ['signed-out'])
    assert.deepEqual((await issuer.subjects())[0].sessions, [])
  })

  test(`a kick is seen in all tabs over one stream, a void in none: ${storage}`, options, async story => {
    const { open, issuer, context } = await worldOf(story, { storage, verifier: true })
    const leaders = []
    context.on('request', request => {
      if (request.url().includes('/revocations/stream')) leaders.push(request.frame())
    })
    const opened = context.waitForEvent('request', request => request.url().includes('/revocations/stream'))
    const pages = [await open(), await open(), await open()]
    await signIn(pages[0])
    await Promise.all(pages.map(page => state(page, 'active')))
    await opened
    const before = await token(pages[2])
    await issuer.admin('/subjects/alice/void')
    await Promise.all(pages.map(page => renewed(page, before)))
    assert.deepEqual(new Set(await states(pages)), new Set(['active']))

    await issuer.admin('/subjects/alice/revoke')
    await Promise.all(pages.map(page => state(page, 'kicked')))
    assert.equal(new Set(leaders).size, 1, 'one tab follows for all')
    await signIn(pages[1])
    await Promise.all(pages.map(page => state(page, 'active')))
  })
}
