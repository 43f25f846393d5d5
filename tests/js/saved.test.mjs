// A verifier in Node that keeps its list in files, with the real issuer. The list survives a restart, even if the
// issuer is unreachable.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import {
  PACKAGE,
  fileStore,
  isTokenError,
  issuerOf,
  openSession,
  refusal,
  verifierOf,
  watchedFetch,
} from './support.mjs'

const options = { timeout: 120_000 }

async function folderOf(story) {
  const folder = await mkdtemp(join(tmpdir(), 'doorlist-saved-'))
  story.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Starts another process, which loads the list from the folder and verifies these tokens. */
async function restarted({ url }, folder, tokens) {
  const script = `
    const { connectVerifier } = await import(${JSON.stringify(pathToFileURL(`${PACKAGE}/index.js`))})
    const { fileStore } = await import(${JSON.stringify(pathToFileURL(`${PACKAGE}/file-store.js`))})
    const { issuer, folder, tokens } = JSON.parse(process.argv[1])
    const verifier = await connectVerifier({ issuer, audience: 'api', store: fileStore(folder) })
    const said = tokens.map(token => {
      try {
        return verifier.verify(token).payload.sub
      } catch (error) {
        return error.code
      }
    })
    console.log(JSON.stringify({ said, status: verifier.status() }))
    verifier.close()
  `
  const told = JSON.stringify({ issuer: url, folder, tokens })
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, told], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said, [code]] = await Promise.all([child.stdout.toArray(), once(child, 'exit')])
  assert.equal(code, 0)
  return JSON.parse(Buffer.concat(said))
}

test(
  'a verifier that starts in an outage refuses kicked users (field: wso2/product-microgateway#2447)',
  options,
  async story => {
    const issuer = await issuerOf(story)
    const folder = await folderOf(story)
    const [alice, bob] = [await openSession(issuer, 'alice'), await openSession(issuer, 'bob')]
    const tokens = [alice, bob].map(session => session.access_token)
    const first = await restarted(issuer, folder, tokens)
    assert.deepEqual(first.said, ['alice', 'bob'])
    const connected = await verifierOf(story, issuer.url)
    await issuer.admin('/subjects/alice/revoke')
    await refusal(connected, tokens[0], 'ERR_JWT_REVOKED')
    const second = await restarted(issuer, folder, tokens)
    assert.deepEqual(second.said, ['ERR_JWT_REVOKED', 'bob'])
    await issuer.stop()
    const third = await restarted(issuer, folder, tokens)
    assert.deepEqual(third.said, ['ERR_JWT_REVOKED', 'bob'])
    for (const name of ['epoch', 'sequence', 'asOf', 'entries']) assert.equal(third.status[name], second.status[name])
    assert.equal(third.status.mode, 'poll')
  },
)

test('traces 8, 23: a retired key stays retired over a restart without the issuer', options, async story => {
  const issuer = await issuerOf(story)
  const store = watched(fileStore(await folderOf(story)))
  const before = await verifierOf(story, issuer.url, { store })
  const { access_token: stolen } = await openSession(issuer, 'alice')
  const { kid } = before.verify(stolen).protectedHeader
  await store.wrote('snapshot', 1)
  await issuer.admin('/keys/retire', { kid })
  await refusal(before, stolen, 'ERR_JWKS_NO_MATCHING_KEY')
  const { access_token: token } = await openSession(issuer, 'alice')
  await store.wrote('snapshot', 2)
  before.close()
  await issuer.stop()

  const verifier = await verifierOf(story, issuer.url, { store })
  assert.equal(verifier.verify(token).payload.sub, 'alice')
  assert.throws(
    () => verifier.verify(stolen),
    error => isTokenError(error, 'ERR_JWKS_NO_MATCHING_KEY'),
  )
})

test('a verifier started in an outage continues from its cursor afterwards', options, async story => {
  const issuer = await issuerOf(story)
  const store = watched(fileStore(await folderOf(story)))
  const before = await verifierOf(story, issuer.url, { store })
  const { access_token: alice } = await openSession(issuer, 'alice')
  await store.wrote('recent', 1)
  const { epoch, sequence } = before.status()
  before.close()
  await issuer.stop()

  const seen = watchedFetch()
  const verifier = await verifierOf(story, issuer.url, { store, fetch: seen.fetch })
  verifier.verify(alice)
  await issuer.start()
  await issuer.admin('/subjects/alice/revoke')
  assert.equal((await refusal(verifier, alice)).code, 'ERR_JWT_REVOKED')
  assert.ok([...seen.lists, ...seen.streams].every(url => url.searchParams.get('since')?.startsWith(`${epoch}:`)))
  assert.equal(verifier.status().epoch, epoch)
  assert.ok(verifier.status().sequence > sequence)
})

test('with pinned keys, a saved list and keys of another signer are refused', options, async story => {
  const [issuer, mallory] = [await issuerOf(story), await issuerOf(story)]
  const jwks = await (await fetch(`${issuer.url}/.well-known/jwks.json`)).json()
  const values = new Map()
  const store = watched(values)
  const theirs = await verifierOf(story, mallory.url, { store })
  await store.wrote('recent', 1)
  theirs.close()
  for (const [key, value] of values) values.set(key.replace(mallory.url, issuer.url), value)

  const seen = watchedFetch()
  const verifier = await verifierOf(story, issuer.url, { store, jwks, fetch: seen.fetch })
  assert.equal(seen.lists[0].searchParams.get('since'), null)
  assert.deepEqual(verifier.status().keys.sort(), jwks.keys.map(key => key.kid).sort())
})

/**
 * Returns a store with a method `wrote(name, times)`. The method resolves when the value with this name has been
 * written this many times.
 */
function watched(store) {
  const news = new EventEmitter()
  const written = []
  return {
    get: key => store.get(key),
    async set(key, value) {
      await store.set(key, value)
      written.push(key.split(':').at(-1))
      news.emit('written')
    },
    async wrote(name, times) {
      while (written.filter(one => one === name).length < times) await once(news, 'written')
    },
  }
}
