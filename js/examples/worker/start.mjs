// What Wrangler does, in few lines: bundles the Worker and runs it in workerd, with no account and nothing deployed.
import { spawn } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import workerd from 'workerd'

const { ISSUER = 'http://127.0.0.1:8787', PORT = '3000' } = process.env
const here = fileURLToPath(new URL('.', import.meta.url))
const bundle = await mkdtemp(join(tmpdir(), 'doorlist-worker-'))

await build({
  absWorkingDir: here,
  entryPoints: ['worker.mjs'],
  bundle: true,
  format: 'esm',
  conditions: ['workerd'],
  external: ['cloudflare:workers', '*.wasm'],
  outfile: join(bundle, 'worker.js'),
})
await cp(fileURLToPath(import.meta.resolve('doorlist/verifier.wasm')), join(bundle, 'verifier.wasm'))
await cp(join(here, 'worker.capnp'), join(bundle, 'worker.capnp'))

const args = ['serve', 'worker.capnp', `--socket-addr=http=127.0.0.1:${PORT}`, '--control-fd=3']
const env = { ...process.env, ISSUER }
const child = spawn(workerd.default, args, { cwd: bundle, env, stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
child.stdio[3].on('data', event => {
  const [, port] = /"event":"listen","socket":"http","port":(\d+)/.exec(event) ?? []
  if (port) console.log(`http://127.0.0.1:${port}`)
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill())
child.on('exit', async code => {
  await rm(bundle, { recursive: true, force: true })
  process.exit(code ?? 0)
})
