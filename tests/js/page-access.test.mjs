// D8: the accessibility of the demo page, with a keyboard, a screen reader, a phone and dark mode. Every state of the
// page is tested.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { demoOf, kicked, signIn, verdict } from './page-support.mjs'

const AXE = createRequire(new URL('../../js/package.json', import.meta.url)).resolve('axe-core/axe.min.js')
const options = { timeout: 180_000 }

/** Turns animations off. Otherwise a colour could be measured during a transition. */
const STILL = { reducedMotion: 'reduce' }
const LOOKS = ['light', 'dark'].flatMap(colorScheme => [390, 1280].map(width => ({ colorScheme, width })))

/**
 * Checks one state of the page, in both colour schemes and in two widths. Returns the findings of axe, and each text
 * that does not fit into its box.
 */
async function flawsOf(page, state) {
  const found = []
  for (const { colorScheme, width } of LOOKS) {
    await page.emulateMedia({ colorScheme, ...STILL })
    await page.setViewportSize({ width, height: 860 })
    const flaws = await page.evaluate(async () => {
      const { violations, incomplete } = await axe.run({ rules: { 'target-size': { enabled: true } } })
      const undecided = incomplete.filter(({ id }) => id === 'color-contrast')
      const ofAxe = [...violations, ...undecided].flatMap(({ id, nodes }) =>
        nodes.map(node => `${id}: ${node.target} ${node.failureSummary}`),
      )
      const { scrollWidth, clientWidth } = document.documentElement
      const wide = scrollWidth > clientWidth ? [`scrolls sideways: ${scrollWidth} px in ${clientWidth}`] : []
      return [...ofAxe, ...wide, ...[...document.querySelectorAll('.card, #verdict')].flatMap(overflowOf)]

      function overflowOf(box) {
        if (!box.checkVisibility()) return []
        const edge = box.getBoundingClientRect()
        const range = document.createRange()
        range.selectNodeContents(box)
        const outside = [...range.getClientRects()].filter(({ left, right }) => left < edge.left || right > edge.right)
        return outside.map(
          ({ right }) => `leaves ${box.id || box.className}: ${right} px, its edge is at ${edge.right}`,
        )
      }
    })
    found.push(...flaws.map(flaw => `${state}, ${colorScheme}, ${width} px: ${flaw}`))
  }
  return found
}

test(
  'D8: axe finds nothing and everything stays in its box, in every state, light and dark, at 390 and 1280 px',
  options,
  async story => {
    const { issuer, context, open, flaws } = await demoOf(story, STILL)
    await context.addInitScript({ path: AXE })
    const found = []
    const look = async (page, state) => found.push(...(await flawsOf(page, state)))

    const page = await open()
    await page.locator('#list-mode', { hasText: 'this tab' }).waitFor()
    await look(page, 'signed out')
    await page.locator('input[name=password]').fill('looking-glass')
    await page.locator('#sign-in .primary').click()
    await page.locator('#sign-in-error:visible').waitFor()
    await look(page, 'wrong password')
    await signIn(page, 'alice')
    await look(page, 'signed in')
    await page.locator('#break').click()
    await verdict(page, 'refused')
    await look(page, 'one byte broken')
    await page.locator('#break').click()
    await verdict(page, 'accepted')
    await page.locator('#kick').click()
    await kicked(page)
    await look(page, 'kicked')

    const other = await open()
    await signIn(other, 'bob')
    await issuer.stop()
    await other.locator('#list-age', { hasText: 'stale' }).waitFor()
    await look(other, 'issuer away, list stale')
    await other.locator('#kick').click()
    await other.locator('#events', { hasText: 'Not kicked' }).waitFor()
    await look(other, 'issuer away, not kicked')
    assert.deepEqual(found, [])
    assert.deepEqual(flaws, [])
  },
)

/** Returns the focused element. It must be visible. */
const focus = page =>
  page.evaluate(() => {
    const { activeElement } = document
    if (activeElement === document.body || !activeElement.checkVisibility()) return 'nothing'
    return activeElement.id || activeElement.name || activeElement.textContent.trim()
  })

async function press(page, ...keys) {
  for (const key of keys) await page.keyboard.press(key)
}

test(
  'D8: with the keyboard alone the user signs in, refreshes, breaks, repairs, kicks and signs in again, and never loses the focus',
  options,
  async story => {
    const { issuer, open, flaws } = await demoOf(story)
    const page = await open()
    await page.locator('#list-mode', { hasText: 'this tab' }).waitFor()
    await press(page, 'Tab')
    assert.equal(await focus(page), 'username')
    await press(page, 'Tab', 'Tab', 'Enter')
    await verdict(page, 'accepted')
    assert.equal(await focus(page), 'token-title', 'after signing in')

    await press(page, 'Tab', 'Enter')
    await page.locator('#events', { hasText: 'Refreshed' }).waitFor()
    assert.equal(await focus(page), 'refresh')
    await press(page, 'Tab', 'Space')
    await verdict(page, 'refused')
    await press(page, 'Space')
    await verdict(page, 'accepted')
    assert.equal(await focus(page), 'break')
    await press(page, 'Tab', 'Enter')
    await kicked(page)
    assert.equal(await focus(page), 'token-title', 'after a kick')

    await press(page, 'Tab')
    assert.equal(await focus(page), 'sign-in-again')
    await press(page, 'Enter')
    await page.locator('#signed-out').waitFor()
    assert.equal(await focus(page), 'username')
    await press(page, 'Enter')
    await verdict(page, 'accepted')

    await press(page, 'Tab')
    assert.equal(await focus(page), 'refresh')
    await issuer.admin('/subjects/alice/revoke')
    await kicked(page)
    assert.equal(await focus(page), 'token-title', 'after a kick by an administrator')
    await press(page, 'Tab', 'Enter', 'Tab', 'x', 'Enter')
    await page.locator('#sign-in-error:visible').waitFor()
    assert.equal(await focus(page), 'password', 'after a wrong password')
    assert.deepEqual(flaws, [])
  },
)

test('D8: a kicked page says so, has only buttons that work, and offers to sign in again', options, async story => {
  const { issuer, open, flaws } = await demoOf(story)
  const page = await open()
  const buttons = () => page.locator('#signed-in button:visible').allTextContents()
  await signIn(page, 'bob')
  assert.deepEqual(await buttons(), ['Refresh', 'Break one byte', 'Kick this user', 'Sign out'])
  await page.locator('#kick').click()
  await kicked(page)
  assert.doesNotMatch(await page.locator('#signed-in').innerText(), /expires in/i)
  assert.match(await page.locator('#signed-in').innerText(), /The session is over/)
  assert.deepEqual(await buttons(), ['Sign in again'])

  await page.reload()
  await kicked(page)
  assert.deepEqual(await buttons(), ['Sign in again'])
  await page.locator('#sign-in-again').click()
  await signIn(page, 'bob')
  assert.deepEqual(await buttons(), ['Refresh', 'Break one byte', 'Kick this user', 'Sign out'])

  // The page must also show a kick while it shows a token with a broken byte.
  await page.locator('#break').click()
  await verdict(page, 'refused')
  await issuer.admin('/subjects/bob/revoke')
  await kicked(page)
  assert.deepEqual(await buttons(), ['Sign in again'])
  assert.deepEqual(flaws, [])
})

test('D8: a change is announced once, and the seconds of the countdown are not announced', options, async story => {
  const { issuer, context, open, flaws } = await demoOf(story)
  await context.addInitScript(() => {
    const live = '[aria-live], [role=status], [role=alert], [role=log]'
    globalThis.announced = []
    new MutationObserver(changes => {
      for (const { target, addedNodes } of changes) {
        const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement
        const text = [...addedNodes].map(node => node.textContent).join(' ') || target.data
        if (text && element?.closest(live)) announced.push(text)
      }
    }).observe(document, { subtree: true, childList: true, characterData: true })
  })
  const page = await open()
  const announced = word => page.evaluate(word => announced.filter(text => text.includes(word)).length, word)
  await signIn(page, 'alice')
  assert.equal(await announced('alice signed in'), 1)
  assert.equal(await announced('Token accepted'), 1)

  const before = await page.evaluate(() => announced.length)
  for (let seconds = 0; seconds < 3; seconds++) {
    const left = await page.locator('#time-left').textContent()
    await page.waitForFunction(left => document.getElementById('time-left').textContent !== left, left)
  }
  assert.equal(await page.evaluate(() => announced.length), before, 'nothing happened')

  await issuer.admin('/subjects/alice/revoke')
  await kicked(page)
  assert.equal(await announced('Token kicked: ERR_JWT_REVOKED'), 1)
  await issuer.stop()
  await page.locator('#list-age', { hasText: 'stale' }).waitFor()
  assert.equal(await announced('The list is stale'), 1)
  assert.deepEqual(flaws, [])
})

test('D8: an error is shown next to its action: no verifier, an ended session, no issuer', options, async story => {
  const { issuer, context, open, flaws } = await demoOf(story, STILL)
  await context.addInitScript({ path: AXE })
  await context.route('**/doorlist/index.js', route => route.abort())
  const without = await open()
  await without.locator('#list-problem', { hasText: 'The verifier did not start. Reload the page' }).waitFor()
  await without.locator('[data-account^="alice:"]').click()
  await without.locator('#verdict-word', { hasText: 'Not checked' }).waitFor()
  assert.deepEqual(await flawsOf(without, 'no verifier'), [])
  // This page has no verifier, so it learns of the kick only at the next refresh.
  await issuer.admin('/subjects/alice/revoke')
  await without.locator('#refresh').click()
  await without.locator('#action-problem', { hasText: 'No new token' }).waitFor()
  await without.locator('#sign-in-again').waitFor()

  await context.unroute('**/doorlist/index.js')
  const page = await open()
  await signIn(page, 'bob')
  await issuer.stop()
  await page.locator('#sign-out').click()
  await page.locator('#action-problem', { hasText: 'Not signed out: the issuer cannot be reached.' }).waitFor()
  await verdict(page, 'accepted')
  await without.locator('#sign-in-again').click()
  await without.locator('#sign-in .primary').click()
  await without.locator('#sign-in-error', { hasText: 'Not signed in: the issuer cannot be reached.' }).waitFor()
  assert.deepEqual(flaws, [])
})
