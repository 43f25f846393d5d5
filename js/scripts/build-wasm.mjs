// Rust → wasm/verifier.wasm, wasm/glue.js and wasm/inlined.js. Fails when the module is too large: size is a promise.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync } from 'node:zlib'
import { transformSync } from 'esbuild'
import { shrunk } from './shrink.mjs'

const js = fileURLToPath(new URL('..', import.meta.url))
const crate = join(js, '../verifier-wasm')
const out = join(js, 'wasm')
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'doorlist')
/** What the module may weigh on its way to a browser, in bytes of brotli. */
const BUDGET = 60_000

const bundlerTarget = runWasmPack()
try {
  mkdirSync(out, { recursive: true })
  const wasm = shrunk(readFileSync(join(bundlerTarget, 'verifier_bg.wasm')))
  writeFileSync(join(out, 'verifier.wasm'), wasm)
  writeFileSync(join(out, 'glue.js'), glueAsFunction(readFileSync(join(bundlerTarget, 'verifier_bg.js'), 'utf8')))
  writeFileSync(join(out, 'inlined.js'), `export const base64 = '${wasm.toString('base64')}'\n`)
  const brotli = brotliCompressSync(wasm).length
  console.log(`verifier.wasm: ${wasm.length} bytes, brotli ${brotli} of ${BUDGET}`)
  if (brotli > BUDGET) {
    console.error(`verifier.wasm is ${brotli - BUDGET} bytes (brotli) above its budget of ${BUDGET}: find what grew.`)
    process.exitCode = 1
  }
} finally {
  rmSync(bundlerTarget, { recursive: true, force: true })
}

function runWasmPack() {
  const directory = mkdtempSync(join(tmpdir(), 'doorlist-wasm-'))
  // wasm-pack takes wasm-bindgen from PATH only in exactly the crate's version. Where `make` put the two they are found
  // without `make` too.
  const [, wasmBindgen] = /^name = "wasm-bindgen"\nversion = "(.*)"/m.exec(
    readFileSync(join(js, '../Cargo.lock'), 'utf8'),
  )
  const path = [
    join(cache, `wasm-bindgen-${wasmBindgen}/bin`),
    join(cache, 'wasm-pack-0.15.1/bin'),
    process.env.PATH,
  ].join(delimiter)
  const cargoHome = process.env.CARGO_HOME || join(homedir(), '.cargo')
  // Panic messages name source files; whose machine built them is nobody's business.
  const rustflags = [`--remap-path-prefix=${cargoHome}=cargo`, `--remap-path-prefix=${join(js, '..')}=doorlist`]
  // Loops of SHA-2 that are not unrolled are 16 KB smaller, and no slower in WebAssembly.
  rustflags.push('--cfg=sha2_backend_soft="compact"')
  const options = ['--mode', 'no-install', '--target', 'bundler', '--profile', 'wasm', '--no-pack', '--no-gitignore']
  try {
    execFileSync('wasm-pack', ['build', crate, ...options, '--out-dir', directory, '--out-name', 'verifier'], {
      env: { ...process.env, PATH: path, CARGO_ENCODED_RUSTFLAGS: rustflags.join('\x1f') },
      stdio: 'inherit',
    })
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    const missing = error.code === 'ENOENT'
    console.error(
      missing ? 'wasm-pack is not installed: `make package` does it, and builds.' : 'The wasm build failed (above).',
    )
    process.exit(1)
  }
  return directory
}

/**
 * The glue touches TextDecoder as it loads and holds one instance for ever. As a function it does nothing until called,
 * a bundler can drop it, and each module gets its own. It finds no FinalizationRegistry: `src/wasm.ts` has one, which leaves
 * an interrupted instance alone.
 */
function glueAsFunction(esm) {
  const { code } = transformSync(esm, { format: 'cjs', target: 'es2022' })
  return `export function createGlue() {\nconst FinalizationRegistry = undefined, module = { exports: {} };\n${code}\nreturn module.exports;\n}\n`
}
