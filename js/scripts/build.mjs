// Builds dist/ from src/ and wasm/: one bundle for each entry point, as ESM and as CommonJS, with the hand-written
// types.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { sizes, tableOf } from './sizes.mjs'

/**
 * The maximum size of `doorlist/session` in bytes, after minification and gzip. Every page of an application loads
 * `doorlist/session` first.
 */
const SESSION_BUDGET = 6 * 1024

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
/** The source file of each import of the package. Imports without the wasm module run in every runtime. */
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
for (const file of readdirSync(join(js, 'types'))) {
  const types = readFileSync(join(js, 'types', file), 'utf8')
  writeFileSync(join(dist, file), types)
  // `verifier.wasm` itself is neither ESM nor CommonJS, so it needs no second file of types.
  if (file === 'verifier.wasm.d.ts') continue
  writeFileSync(join(dist, file.replace(/\.ts$/, '.cts')), types.replaceAll(/'(\.\/\w+)\.js'/g, "'$1.cjs'"))
}
writeStubs()

const rows = await sizes()
console.log(tableOf(rows))
const { gzip } = rows.find(({ name }) => name === '`doorlist/session`')
if (gzip > SESSION_BUDGET) throw new Error(`doorlist/session has ${gzip} bytes, ${SESSION_BUDGET} at most`)

/**
 * Creates one folder for each subpath, for tools that do not read `exports` (Parcel, and TypeScript with
 * `moduleResolution: node`). Each folder contains only a package.json that points into dist/. The list of folders is
 * derived from `exports`, so the folders always match `exports`.
 */
function writeStubs() {
  const { exports } = JSON.parse(readFileSync(join(js, 'package.json'), 'utf8'))
  for (const [subpath, { import: esm, require: cjs, ...only }] of Object.entries(exports)) {
    if (subpath === '.' || subpath === './package.json') continue
    const folder = join(js, subpath)
    const file = path => relative(folder, join(js, path))
    const stub = esm
      ? { types: file(cjs.types), main: file(cjs.default), module: file(esm.default), sideEffects: false }
      : { types: file(only.types), main: file(only.default) }
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ private: true, ...stub }, undefined, 2)}\n`)
  }
}
