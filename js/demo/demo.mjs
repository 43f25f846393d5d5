// Shows the main purpose of the project. Every verifier accepts a token without a network call. Then the user is
// kicked, and every verifier refuses the token. Then the issuer is stopped. The verifiers continue, and report the age
// of their list.
import { once } from 'node:events'
import { lookup } from 'node:dns/promises'
import { createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { startIssuer } from './issuer.mjs'
import { check, note, scene, table } from './terminal.mjs'
import { startVerifiers } from './verifiers/index.mjs'

const HEARTBEAT_SECONDS = 2
/** The demo takes half a minute. If a step hangs, the demo must end with a message after this many minutes. */
const LIMIT_MINUTES = 10
const {
  values: { all, once: onlyOnce, port },
} = parseArgs({
  options: { all: { type: 'boolean' }, once: { type: 'boolean' }, port: { type: 'string', default: '8787' } },
})
const fromRoot = path => fileURLToPath(new URL(`../../${path}`, import.meta.url))

const verifiers = []
let issuer
const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
try {
  issuer = await startIssuer({
    binary: process.env.DOORLIST_BINARY ?? fromRoot('target/release/doorlist'),
    command: 'demo',
    args: ['--package', fromRoot('js/dist'), '--heartbeat-secs', String(HEARTBEAT_SECONDS)],
    port: onlyOnce ? await freePort() : Number(port),
    name: (await isResolved('localhost')) ? 'localhost' : undefined,
  })
  const told = await Promise.race([tellTheStory().then(() => true), interrupted.then(() => false), tooLong()])
  if (onlyOnce && !told) throw new Error('interrupted')
  if (told) invite()
  if (told && !onlyOnce) await interrupted
} catch (error) {
  console.error(`\n  ✗ ${[error.message, error.cause?.message].filter(Boolean).join(': ')}`)
  if (/cannot listen/.test(error.message)) console.error('    `make demo PORT=8788` takes another port')
  process.exitCode = 1
} finally {
  await Promise.allSettled(verifiers.map(verifier => verifier.close()))
  await issuer?.remove()
}
process.exit() // an interrupted story may still have pending work

/**
 * Whether the name resolves. The smallest root file systems have no /etc/hosts, so `localhost` does not resolve there.
 * In this case the issuer's URL contains an IP address.
 */
function isResolved(host) {
  return lookup(host).then(
    () => true,
    () => false,
  )
}

/** Returns a free port. The port is part of the issuer's name, and the issuer needs its name before it starts. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await once(server.close(), 'close')
  return port
}

async function tooLong() {
  await setTimeout(LIMIT_MINUTES * 60_000, undefined, { ref: false })
  throw new Error(`the demo did not end within ${LIMIT_MINUTES} minutes`)
}

function invite() {
  scene('Your turn')
  if (onlyOnce) return note('Next: `make demo` keeps the issuer running and has a page to try it on.')
  note(`Next: open ${issuer.url}, sign in as alice in two tabs, and kick her. Ctrl-C ends it.`)
  note('After that: "A page and an API in ten minutes" in README.md makes a page and an API of your own.')
}

async function tellTheStory() {
  scene('An issuer with two users')
  const subjects = await issuer.subjects()
  check(`${issuer.url} keeps the accounts of ${subjects.map(({ sub }) => sub).join(' and ')}`, subjects.length === 2)

  scene('Alice logs in on two devices')
  const laptop = await issuer.login('alice', 'wonderland', 'laptop')
  const phone = await issuer.login('alice', 'wonderland', 'phone')
  check(`access tokens for ${laptop.expires_in / 60} minutes, one a device`, laptop.access_token !== phone.access_token)

  scene('Her token is verified offline')
  for await (const verifier of startVerifiers(issuer.url, all)) {
    verifiers.push(verifier)
    for (const [device, { access_token: token }] of Object.entries({ laptop, phone })) {
      const answer = await verifier.verify(token)
      check(`${label(verifier)}, ${device}: ${describe(answer)}`, answer.accepted)
    }
  }

  scene('Her laptop refreshes')
  const refreshed = await issuer.refresh(laptop.refresh_token)
  for (const verifier of verifiers) {
    const answer = await verifier.verify(refreshed.access_token)
    check(`${label(verifier)}: ${describe(answer)}`, answer.accepted)
  }

  scene('Alice is kicked')
  const refusals = await kick('alice', refreshed.access_token)
  table(['verifier', 'mode', 'first refusal after the acknowledged kick'], refusals)
  for (const verifier of verifiers) {
    const answer = await verifier.verify(phone.access_token)
    check(`${label(verifier)} refuses her phone's token too: ${answer.code}`, answer.code === 'ERR_JWT_REVOKED')
  }
  const refused = await issuer.refresh(refreshed.refresh_token).catch(error => error)
  check('her refresh token is dead', refused.status === 400 && /invalid_grant/.test(refused.message))

  scene('The issuer stops')
  const bob = await issuer.login('bob', 'builder-of-things', 'laptop')
  for (const verifier of verifiers) await verifier.verify(bob.access_token)
  await issuer.stop()
  const stoppedAt = performance.now()
  note(`waiting until the lists are ${3 * HEARTBEAT_SECONDS} s old: three heartbeats unheard are an outage`)
  for (const verifier of verifiers) {
    const answer = await until(verifier, bob.access_token, answer => answer.freshness?.stale)
    check(`${label(verifier)}: ${describe(answer)}`, answer.accepted && answer.freshness.stale)
  }
  for (const verifier of verifiers) {
    const answer = await verifier.verify(refreshed.access_token)
    check(`${label(verifier)} still refuses Alice: ${answer.code}`, answer.code === 'ERR_JWT_REVOKED')
  }

  scene(`The issuer is back after ${Math.round((performance.now() - stoppedAt) / 1000)} s`)
  await issuer.start()
  for (const verifier of verifiers) {
    const answer = await until(verifier, bob.access_token, answer => answer.freshness && !answer.freshness.stale)
    check(`${label(verifier)}: ${describe(answer)}`, answer.accepted)
  }
  table(['verifier', 'mode', 'first refusal after Bob is kicked'], await kick('bob', bob.access_token))
  note('A Worker that lost its stream asks once a heartbeat, and tries the stream again within a minute.')
}

/**
 * Kicks a user. Returns one row for each verifier: the time from the answer of the issuer to the verifier's first
 * refusal.
 */
async function kick(sub, token) {
  const refusals = await Promise.all(verifiers.map(verifier => verifier.watch(token)))
  await issuer.admin(`/subjects/${sub}/revoke`)
  const acknowledged = performance.timeOrigin + performance.now()
  return Promise.all(
    verifiers.map(async (verifier, index) => {
      const { at, code } = await refusals[index]()
      if (code !== 'ERR_JWT_REVOKED') throw new Error(`${label(verifier)} refused for another reason: ${code}`)
      const after = at - acknowledged
      return [verifier.name, verifier.mode, `${after.toFixed(1)} ms${after < 0 ? ' (before the answer arrived)' : ''}`]
    }),
  )
}

/** Repeats the verification until `holds` accepts the answer, but for at most a minute. Returns the last answer. */
async function until(verifier, token, holds) {
  const deadline = performance.now() + 60_000
  for (;;) {
    const answer = await verifier.verify(token)
    if (holds(answer) || performance.now() > deadline) return answer
    await verifier.pause()
  }
}

function label({ name, mode }) {
  return `${name} (${mode})`
}

function describe({ accepted, code, freshness }) {
  if (!accepted) return `refused, ${code}`
  const age = Math.round(freshness.age)
  return `accepted, list ${age} s old${freshness.stale ? ' (stale, and it says so)' : ''}`
}
