// The built package on platforms that lack one global. Each test removes a different global (seen in the field:
// rustwasm/wasm-bindgen#3066).
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import vm from 'node:vm'
import { createTestIssuer } from '../src/testing/index.js'

const issuer = await createTestIssuer()
const [token, list] = [await issuer.token(), await issuer.list()]

/** Globals that do not belong to the language, so a platform may lack them. */
const GLOBALS = [
  'AbortController',
  'AbortSignal',
  'Blob',
  'BroadcastChannel',
  'Buffer',
  'DOMException',
  'FormData',
  'Headers',
  'Request',
  'Response',
  'TextDecoder',
  'TextEncoder',
  'URL',
  'URLSearchParams',
  'WebAssembly',
  'atob',
  'btoa',
  'caches',
  'clearTimeout',
  'crypto',
  'fetch',
  'indexedDB',
  'performance',
  'queueMicrotask',
  'setTimeout',
  'structuredClone',
  'FinalizationRegistry',
] as const
/** Every JavaScript runtime with timers and promises has these globals, so the tests do not remove them. */
const GIVEN = ['setTimeout', 'clearTimeout', 'queueMicrotask']

type Exports = Record<string, any>
const scenarios: Record<string, (load: (name: string) => Exports) => unknown> = {
  'a verifier': load => {
    const verifier = load('index')['createVerifier'](issuer.rules)
    verifier.load(list)
    return verifier.verify(token)
  },
  'a connected verifier': async load => {
    const { fetch, rules } = issuer
    const verifier = await load('index')['connectVerifier']({ ...rules, fetch })
    verifier.verify(token)
    verifier.close()
  },
  'a verifier on the global fetch': load => load('index')['connectVerifier'].lazy(issuer.rules),
  'a session': async load => {
    const session = load('session')['createSession']({
      issuer: 'https://id.example',
      storage: 'memory',
      fetch: () => issuer.fetch('https://id.example/x'),
    })
    await session.ready
    session.close()
  },
  'a session on the global fetch': async load =>
    load('session')['createSession']({ issuer: 'https://id.example', storage: 'memory' }).close(),
  'a test issuer': load => load('testing')['createTestIssuer'](),
}

for (const [what, act] of Object.entries(scenarios)) {
  test(`C4: ${what} works without each global in turn, or its error names the global`, async () => {
    for (const missing of GLOBALS.filter(name => !GIVEN.includes(name))) {
      const globals: Exports = {}
      for (const name of GLOBALS) if (name !== missing) globals[name] = (globalThis as Exports)[name]
      globals['fetch'] &&= issuer.fetch
      const context = vm.createContext(globals)
      if (missing === 'WebAssembly' || missing === 'FinalizationRegistry')
        vm.runInContext(`delete globalThis.${missing}`, context)
      const load = (name: string) => {
        const module = { exports: {} }
        const source = readFileSync(new URL(`../dist/${name}.cjs`, import.meta.url), 'utf8')
        vm.runInContext(`(function (module, exports) { ${source} })`, context)(module, module.exports)
        return module.exports
      }
      try {
        await act(load)
      } catch (error) {
        const { code, message } = error as { code?: string; message: string }
        assert.match(String(code), /^ERR_(PLATFORM_UNSUPPORTED|WASM_UNAVAILABLE)$/, `${missing}: ${error}`)
        assert.ok(message.includes(missing), `${missing}: ${message}`)
      }
    }
  })
}

test('C4: the errors of browser stores name the globals that Node lacks', async () => {
  const { indexedDbStore, cacheStore } = await import('../src/stores/index.js')
  for (const store of [indexedDbStore(), cacheStore()])
    await assert.rejects(async () => store.get('key'), {
      code: 'ERR_PLATFORM_UNSUPPORTED',
      message: /indexedDB|caches/,
    })
})
