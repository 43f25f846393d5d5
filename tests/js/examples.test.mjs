// The examples. The tests start them with the commands that a reader uses. The README must show the same code.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { importDevelopmentPackage, issuerOf, openSession } from './support.mjs'

const options = { timeout: 60_000 }
const folder = fileURLToPath(new URL('../../js/examples/', import.meta.url))
const README = await readFile(`${folder}../README.md`, 'utf8')
const examples = ['express', 'fastify', 'hono', 'node-http', 'express-ws', 'worker/start', 'next/start']
/** The time limit is long because each start builds Next, and the first start also installs Next. */
const toStart = { timeout: 300_000 }
/**
 * In the Next example, the proxy passes claims to the handlers in this header. If a client sends this header itself,
 * the example must ignore the header.
 */
const forged = { 'x-verified-claims': encodeURIComponent(JSON.stringify({ sub: 'mallory', scope: 'admin' })) }

/** Starts an example. Returns the address that the example prints. The example is stopped when the story ends. */
const start = async (story, ...how) => (await startToEnd(story, ...how)).url

/** Starts an example. Returns the address that the example prints, and a function that stops the example. */
async function startToEnd(story, name, issuer, { args = [], settings } = {}) {
  const env = { ...process.env, ISSUER: issuer.url, PORT: '0', ...settings }
  const child = spawn(process.execPath, [...args, `${folder}${name}.mjs`], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = once(child, 'exit')
  const stop = async () => {
    child.kill()
    await gone
  }
  story.after(stop)
  for await (const url of createInterface({ input: child.stdout })) if (url.startsWith('http://')) return { url, stop }
  throw new Error(`${name} ended before it listened`)
}

for (const name of examples) {
  test(`${name}: a user signs in, is allowed, and is refused after a kick`, toStart, async story => {
    const issuer = await issuerOf(story)
    const service = await start(story, name, issuer)
    const ask = (path, token, method) =>
      fetch(`${service}${path}`, { method, headers: { ...forged, ...(token && { authorization: `Bearer ${token}` }) } })
    const { access_token: alice } = await openSession(issuer, 'alice')
    const { access_token: bob } = await issuer.admin('/sessions', { sub: 'bob', scope: 'admin' })

    assert.equal((await ask('/me')).status, 401)
    assert.deepEqual(await (await ask('/me', alice)).json(), { sub: 'alice' })
    assert.equal((await ask('/users/carol', alice, 'DELETE')).status, 403)
    assert.equal((await ask('/users/carol', bob, 'DELETE')).status, 204)

    await issuer.admin('/subjects/alice/revoke')
    let answer = await ask('/me', alice)
    while (answer.status === 200) answer = await ask('/me', alice)
    assert.deepEqual([answer.status, (await answer.json()).code], [401, 'ERR_JWT_REVOKED'])
    assert.equal((await ask('/me', bob)).status, 200)
  })
}

for (const name of ['worker/start', 'next/start']) {
  test(`${name}: without an issuer the answer is 503, not 401`, toStart, async story => {
    const issuer = await issuerOf(story)
    const { access_token: token } = await openSession(issuer, 'alice')
    await issuer.stop()
    const service = await start(story, name, issuer)
    const answer = await fetch(`${service}/me`, { headers: { authorization: `Bearer ${token}` } })
    assert.deepEqual([answer.status, (await answer.json()).code], [503, 'ERR_LIST_MISSING'])
    assert.ok(answer.headers.has('retry-after'))
  })
}

for (const name of examples.filter(name => !name.includes('/'))) {
  test(`D11: ${name} without an issuer ends with a one-sentence error`, options, async () => {
    const env = { ...process.env, ISSUER: 'http://localhost:1', PORT: '0' }
    const child = spawn(process.execPath, [`${folder}${name}.mjs`], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    const said = stripVTControlCharacters(Buffer.concat(await child.stderr.toArray()).toString())
    assert.match(said, /^No start without the issuer http:\/\/localhost:1: [^\n]+\n$/)
    if (child.exitCode === null) await once(child, 'exit')
    assert.equal(child.exitCode, 1)
  })
}

test('D11: the documents and the examples use the same issuer', async () => {
  const root = `${folder}../../`
  const sources = [
    'README.md',
    'js/README.md',
    ...examples.map(name => `js/examples/${name}.mjs`),
    'js/examples/next/proxy.js',
  ]
  for (const source of sources) {
    const text = await readFile(root + source, 'utf8')
    assert.ok(!text.includes('127.0.0.1:8787'), source)
  }
})

test('node-http: a programming mistake lets no request in', options, async story => {
  const issuer = await issuerOf(story)
  const mistaken = `
    const { trimEnd } = String.prototype
    String.prototype.trimEnd = function () {
      if (String(this) === 'mistake') throw new RangeError('a mistake')
      return trimEnd.call(this)
    }`
  const args = ['--import', `data:text/javascript,${encodeURIComponent(mistaken)}`]
  const service = await start(story, 'node-http', issuer, { args })
  const ask = path => fetch(`${service}${path}`, { headers: { authorization: 'Bearer mistake' } })
  for (const path of ['/me', '/elsewhere']) assert.equal((await ask(path)).status, 500)
  assert.equal((await fetch(`${service}/me`)).status, 401)
})

test('worker: a restart in an outage uses the saved list', options, async story => {
  const issuer = await issuerOf(story)
  const settings = { CACHE: await mkdtemp(join(tmpdir(), 'doorlist-worker-')) }
  story.after(() => rm(settings.CACHE, { recursive: true, force: true }))
  const begin = () => startToEnd(story, 'worker/start', issuer, { settings })
  const ask = async ({ url }, { access_token: token }) => {
    const answer = await fetch(`${url}/me`, { headers: { authorization: `Bearer ${token}` } })
    const { sub, code } = await answer.json()
    return sub ?? code
  }
  const [alice, bob] = [await openSession(issuer, 'alice'), await openSession(issuer, 'bob')]

  const before = await begin()
  assert.equal(await ask(before, alice), 'alice')
  await issuer.admin('/subjects/alice/revoke')
  let said
  do said = await ask(before, alice)
  while (said === 'alice')
  assert.equal(said, 'ERR_JWT_REVOKED')
  await issuer.stop()

  // The Worker writes the list after it has sent its answer. A process that starts before this write uses an older
  // list.
  let after = await begin()
  while ((await ask(after, alice)) === 'alice') after = await begin()
  await before.stop()
  await after.stop()
  after = await begin()
  assert.equal(await ask(after, alice), 'ERR_JWT_REVOKED')
  assert.equal(await ask(after, bob), 'bob')
})

test('express-ws: a connection is closed when its token expires', options, async story => {
  const { default: WebSocket } = await importDevelopmentPackage('ws')
  const issuer = await issuerOf(story, { args: ['--access-ttl-secs', '5'] })
  const service = await start(story, 'express-ws', issuer)
  const { access_token: token } = await openSession(issuer, 'alice')
  const socket = new WebSocket(service.replace('http', 'ws'), ['chat', token])
  const closed = once(socket, 'close')
  socket.once('open', () => socket.send('hello'))
  assert.equal(String((await once(socket, 'message'))[0]), 'alice: hello')
  const [code, reason] = await closed
  assert.deepEqual([code, String(reason)], [4401, 'ERR_JWT_EXPIRED'])
})

test('express-ws: only the connections of the kicked user are closed', options, async story => {
  const { default: WebSocket } = await importDevelopmentPackage('ws')
  const issuer = await issuerOf(story)
  const service = await start(story, 'express-ws', issuer)
  const connect = async sub => {
    const { access_token: token } = await openSession(issuer, sub)
    const socket = new WebSocket(service.replace('http', 'ws'), ['chat', token])
    await once(socket, 'open')
    assert.equal(socket.protocol, 'chat', 'the token does not come back')
    return socket
  }
  const says = async (socket, text) => {
    const answered = once(socket, 'message')
    socket.send(text)
    return String((await answered)[0])
  }
  const [alice, bob] = [await connect('alice'), await connect('bob')]
  assert.equal(await says(alice, 'hello'), 'alice: hello')
  const closed = once(alice, 'close')
  await issuer.admin('/subjects/alice/revoke')
  const [code, reason] = await closed
  assert.deepEqual([code, String(reason)], [4401, 'ERR_JWT_REVOKED'])
  assert.equal(await says(bob, 'still here'), 'bob: still here')
  bob.close()

  const stranger = new WebSocket(service.replace('http', 'ws'), ['chat'])
  assert.equal((await once(stranger, 'close'))[0], 4401)

  const rude = new WebSocket(service.replace('http', 'ws'), ['chat'])
  rude.on('upgrade', response => response.socket.write(Buffer.of(0xff, 0xff, 0xff)))
  await once(rude, 'close')
  const late = await connect('bob')
  assert.equal(await says(late, 'still up'), 'bob: still up')
})

test('the README shows the code of the examples unchanged', async () => {
  const inNext = ['proxy', 'claims', 'app/users/[sub]/route'].map(name => `next/${name}.js`)
  for (const name of ['express.mjs', 'fastify.mjs', 'hono.mjs', 'worker/worker.mjs', ...inNext])
    assert.ok(README.includes(`\`\`\`js\n${await readFile(`${folder}${name}`, 'utf8')}\`\`\``), name)
  assert.ok(README.includes(`\`\`\`ts\n${await readFile(`${folder}angular/session.service.ts`, 'utf8')}\`\`\``))
  const sockets = await readFile(`${folder}express-ws.mjs`, 'utf8')
  assert.ok(sockets.includes(codeUnder('### Connections that stay open')))
})

test('the test that the README shows runs to its last line', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', codeUnder('## In your tests')], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  const said = stripVTControlCharacters(Buffer.concat(await child.stderr.toArray()).toString())
  assert.match(said, /code: 'ERR_JWT_REVOKED'/)
})

/** Returns the first code block under this heading. */
function codeUnder(heading) {
  const [, code] = README.slice(README.indexOf(`${heading}\n`)).split(/```(?:js)?\n/)
  return code
}
