// src/ and wasm/ → dist/: one bundle an entry point, ESM and CJS, and the hand-written types beside them.
import { copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** Bytes of what every page loads before anything else, minified and gzipped. */
const SESSION_BUDGET = 5 * 1024

const js = fileURLToPath(new URL('..', import.meta.url))
const dist = join(js, 'dist')

const common = {
  absWorkingDir: js,
  bundle: true,
  platform: 'neutral',
  target: 'es2022',
  external: ['*.wasm', '*.wasm?module', 'node:*'],
  legalComments: 'none',
  logLevel: 'warning',
}
const entries = names => Object.fromEntries(names.map(name => [name, sources[name]]))
/** What each import of the package is made of; those without a module inside work in every runtime. */
const sources = {
  index: 'src/entrypoints/index.ts',
  slim: 'src/entrypoints/slim.ts',
  workerd: 'src/entrypoints/workerd.ts',
  'edge-light': 'src/entrypoints/edge-light.ts',
  express: 'src/adapters/express.ts',
  fastify: 'src/adapters/fastify.ts',
  hono: 'src/adapters/hono.ts',
  companions: 'src/companions.ts',
  testing: 'src/testing/index.ts',
  session: 'src/session/index.ts',
  stores: 'src/stores/index.ts',
  'file-store': 'src/stores/file.ts',
}
const everywhere = Object.keys(sources).filter(name => name !== 'workerd' && name !== 'edge-light')

rmSync(dist, { recursive: true, force: true })
await Promise.all([
  build({
    ...common,
    format: 'esm',
    outdir: dist,
    entryPoints: sources,
  }),
  build({
    ...common,
    format: 'cjs',
    outdir: dist,
    outExtension: { '.js': '.cjs' },
    entryPoints: entries(everywhere),
  }),
])
copyFileSync(join(js, 'wasm/verifier.wasm'), join(dist, 'verifier.wasm'))
for (const name of [...everywhere, 'guard']) {
  const types = readFileSync(join(js, `types/${name}.d.ts`), 'utf8')
  writeFileSync(join(dist, `${name}.d.ts`), types)
  writeFileSync(join(dist, `${name}.d.cts`), types.replaceAll(/'(\.\/\w+)\.js'/g, "'$1.cjs'"))
}
copyFileSync(join(js, 'types/verifier.wasm.d.ts'), join(dist, 'verifier.wasm.d.ts'))
for (const name of readdirSync(dist).sort()) {
  const bytes = readFileSync(join(dist, name))
  if (/\.(c?js|wasm)$/.test(name))
    console.log(`dist/${name}: ${bytes.length} bytes, brotli ${brotliCompressSync(bytes).length}`)
}

const minified = await build({ ...common, format: 'esm', minify: true, write: false, entryPoints: [sources.session] })
const size = gzipSync(minified.outputFiles[0].contents, { level: 9 }).length
console.log(`doorlist/session: ${size} bytes, minified and gzipped`)
if (size > SESSION_BUDGET) throw new Error(`doorlist/session has ${size} bytes, ${SESSION_BUDGET} at most`)
