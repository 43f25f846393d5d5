// C7: a context of Node that simulates React Native. Its `fetch` has no streams. Its `AbortSignal` and `URL` have only
// the members that they have in React Native. Its `window` has no events. There are no locks and no channels. There is
// no WebAssembly, because Hermes, the engine of React Native, has no WebAssembly.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import vm from 'node:vm'
import { build } from 'esbuild'
import { esbuildOptions } from './bundles.mjs'
import { createConsumer } from './consumer.mjs'
import { startIssuer } from './issuer.mjs'

let consumer, issuer
before(async () => {
  consumer = await createConsumer()
  issuer = await startIssuer()
})
after(async () => {
  issuer?.stop()
  await consumer?.remove()
})

/** React Native's `AbortSignal` has no `throwIfAborted`, `reason`, `any` or `timeout`. */
class Signal {
  aborted = false
  onabort = null
  #listeners = new Set()
  addEventListener(_, listener) {
    this.#listeners.add(listener)
  }
  removeEventListener(_, listener) {
    this.#listeners.delete(listener)
  }
  abort() {
    if (this.aborted) return
    this.aborted = true
    for (const listener of [...this.#listeners]) listener({ type: 'abort', target: this })
  }
}
class Controller {
  signal = new Signal()
  abort() {
    this.signal.abort()
  }
}

/** React Native's `URL` cannot be changed, and has no static functions. */
class PlainUrl {
  #url
  constructor(...from) {
    this.#url = new URL(...from.map(String))
  }
  toString() {
    return this.#url.href
  }
}
for (const name of [
  'href',
  'origin',
  'protocol',
  'host',
  'hostname',
  'port',
  'pathname',
  'search',
  'hash',
  'username',
  'password',
])
  Object.defineProperty(PlainUrl.prototype, name, {
    get() {
      return new URL(this.toString())[name]
    },
  })

/** Resolves with a complete response. The response has no `body` from which a program could read a stream. */
async function wholeFetch(asked, { signal, ...init } = {}) {
  const abort = new AbortController()
  signal?.addEventListener('abort', () => abort.abort())
  const address = asked instanceof Request ? asked : String(asked)
  const response = await fetch(address, { ...init, signal: abort.signal })
  // The body of a stream never ends, so `text` never resolves. In React Native, `fetch` of a stream never resolves
  // either.
  const text = await response.text()
  const { status, ok, headers, url } = response
  return { status, ok, headers, url, text: async () => text, json: async () => JSON.parse(text) }
}

/** Runs a module in a context that simulates React Native. Resolves with the value that the module passes to `said`. */
async function inReactNative(name, source, { WebAssembly, ...more } = {}) {
  const project = await consumer.sibling(name)
  await writeFile(join(project, 'entry.mjs'), source)
  const { outputFiles } = await build(esbuildOptions(project, 'entry.mjs'))
  return new Promise((resolve, reject) => {
    const { setTimeout, clearTimeout, setInterval, clearInterval, performance, TextEncoder, atob, btoa } = globalThis
    const { FormData, Headers, Request, queueMicrotask, TextDecoder } = globalThis
    const globals = {
      ...{ setTimeout, clearTimeout, setInterval, clearInterval, performance, TextEncoder, TextDecoder, atob, btoa },
      ...{ FormData, Headers, Request, queueMicrotask, console, WebAssembly },
      AbortController: Controller,
      AbortSignal: Signal,
      URL: PlainUrl,
      fetch: wholeFetch,
      navigator: { product: 'ReactNative' },
      said: resolve,
      failed: error => reject(new Error(`${error?.code} ${error?.stack}`, { cause: error })),
      ...more,
    }
    globals.window = globals.global = globals.self = globals
    if (WebAssembly === undefined) delete globals.WebAssembly
    const context = vm.createContext(globals)
    if (WebAssembly === undefined) vm.runInContext('delete globalThis.WebAssembly', context)
    vm.runInContext(outputFiles[0].text, context)
  })
}

test('C7: a session works in React Native, with the application’s own storage', { timeout: 60_000 }, async () => {
  const tenant = await issuer.tenant()
  const source = `import { createSession } from 'doorlist/session'
    const kept = new Map()
    const session = createSession({ issuer: ISSUER, storage: kept, origins: [new URL(ISSUER).origin] })
    const states = []
    session.onChange(state => states.push(state))
    ;(async () => {
      states.push(await session.ready)
      const access_token = await (await fetch(ISSUER + '/token')).text()
      await session.login({ access_token, expires_in: 900, refresh_token: 'one' })
      const same = (await session.getAccessToken()) === access_token
      const { status } = await session.fetch(ISSUER + '/jwks')
      await session.logout()
      session.close()
      said({ states, same, status })
    })().catch(failed)`
  const result = await inReactNative('native-session', source, { ISSUER: tenant })
  assert.deepEqual(JSON.parse(JSON.stringify(result)), {
    states: ['signed-out', 'active', 'signed-out'],
    same: true,
    status: 200,
  })
})

test('C7: in React Native a verifier polls, and refuses a kicked user', { timeout: 60_000 }, async () => {
  const tenant = await issuer.tenant()
  const source = `import { connectVerifier } from 'doorlist'
    ;(async () => {
      const verifier = await connectVerifier({ issuer: ISSUER, audience: 'api', transport: 'poll' })
      const token = await (await fetch(ISSUER + '/token')).text()
      const before = verifier.verify(token).revocation
      await fetch(ISSUER + '/kick', { method: 'POST' })
      await verifier.refresh()
      let after = 'accepted'
      try { verifier.verify(token) } catch (error) { after = error.code }
      verifier.close()
      said({ before, after })
    })().catch(failed)`
  const result = await inReactNative('native-verifier', source, { ISSUER: tenant, WebAssembly })
  assert.deepEqual(JSON.parse(JSON.stringify(result)), { before: 'not_revoked', after: 'ERR_JWT_REVOKED' })
})

test(
  'C7: without WebAssembly, as in Hermes, the error has the code ERR_WASM_UNAVAILABLE',
  { timeout: 60_000 },
  async () => {
    const source = `import { createVerifier } from 'doorlist'
    try { createVerifier({ issuer: 'https://issuer.example', audience: null }); failed('made') } catch ({ code }) { said(code) }`
    assert.equal(await inReactNative('native-hermes', source), 'ERR_WASM_UNAVAILABLE')
  },
)
