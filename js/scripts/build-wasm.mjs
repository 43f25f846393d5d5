// Builds wasm/verifier.wasm, wasm/glue.js and wasm/inlined.js from the Rust crate. The documentation promises a maximum
// size of the module, so the build fails if the module is larger.
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
/** The maximum size of the module, in bytes after brotli compression. */
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
  // wasm-pack uses the wasm-bindgen on the PATH only if this program has exactly the version of the crate wasm-bindgen.
  // `make` installs wasm-pack and wasm-bindgen in folders of their own. These folders are added to the PATH, so that
  // this script also works without `make`.
  const [, wasmBindgen] = /^name = "wasm-bindgen"\nversion = "(.*)"/m.exec(
    readFileSync(join(js, '../Cargo.lock'), 'utf8'),
  )
  const path = [
    join(cache, `wasm-bindgen-${wasmBindgen}/bin`),
    join(cache, 'wasm-pack-0.15.1/bin'),
    process.env.PATH,
  ].join(delimiter)
  const cargoHome = process.env.CARGO_HOME || join(homedir(), '.cargo')
  // Panic messages contain source paths. These options replace the paths of the build machine.
  const rustflags = [`--remap-path-prefix=${cargoHome}=cargo`, `--remap-path-prefix=${join(js, '..')}=doorlist`]
  // The compact variant of SHA-2 has no unrolled loops. It is 16 KB smaller than the default variant, and not slower in
  // WebAssembly.
  rustflags.push('--cfg=sha2_backend_soft="compact"')
  const options = ['--mode', 'no-install', '--target', 'bundler', '--profile', 'wasm', '--no-pack', '--no-gitignore']
  try {
    // The log level hides warnings. wasm-pack looks for a newer version of itself, and warns if this search fails.
    execFileSync(
      'wasm-pack',
      ['--log-level', 'error', 'build', crate, ...options, '--out-dir', directory, '--out-name', 'verifier'],
      {
        env: { ...process.env, PATH: path, CARGO_ENCODED_RUSTFLAGS: rustflags.join('\x1f') },
        stdio: 'inherit',
      },
    )
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
 * Wraps the glue of wasm-bindgen in a function. The original glue uses TextDecoder as soon as a script imports the
 * glue, and has only one instance of the module. The wrapped glue does nothing until the function is called, so a
 * bundler can drop the glue. Each call creates glue for another instance. The glue gets no FinalizationRegistry:
 * `src/wasm.ts` has its own registry, which does not touch an interrupted instance.
 */
function glueAsFunction(esm) {
  const { code } = transformSync(esm, { format: 'cjs', target: 'es2022' })
  return `export function createGlue() {\nconst FinalizationRegistry = undefined, module = { exports: {} };\n${code}\nreturn module.exports;\n}\n`
}
