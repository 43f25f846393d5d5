// A small replacement for `wrangler dev`. The script bundles the Worker and runs it in Miniflare. No account and no
// deployment are needed.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'

const { ISSUER = 'http://localhost:8787', PORT = '3000', CACHE } = process.env

const { outputFiles } = await build({
  absWorkingDir: fileURLToPath(new URL('.', import.meta.url)),
  entryPoints: ['worker.mjs'],
  bundle: true,
  format: 'esm',
  conditions: ['workerd'],
  external: ['cloudflare:workers', '*.wasm'],
  write: false,
})
const module = await readFile(fileURLToPath(import.meta.resolve('doorlist/verifier.wasm')))

const miniflare = new Miniflare({
  host: '127.0.0.1',
  port: Number(PORT),
  compatibilityDate: '2025-06-01',
  modules: [
    { type: 'ESModule', path: 'worker.mjs', contents: outputFiles[0].text },
    { type: 'CompiledWasm', path: 'verifier.wasm', contents: module },
  ],
  bindings: { ISSUER },
  // The folder in which the Cache API stores its data. Without a folder, the data is in memory.
  ...(CACHE && { cachePersist: CACHE }),
})
console.log((await miniflare.ready).origin)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void miniflare.dispose())
