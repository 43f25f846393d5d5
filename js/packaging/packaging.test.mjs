import assert from 'node:assert/strict'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import vm from 'node:vm'
import { build as esbuild } from 'esbuild'
import { rollup } from 'rollup'
import { build as viteBuild, createServer as viteServer } from 'vite'
import webpack from 'webpack'
import { createConsumer, js } from './consumer.mjs'
import { startIssuer } from './issuer.mjs'
import { bin, firstLineIn, launchChromium, otherNode, output, serve, workerd } from './tools.mjs'

let consumer, issuer
before(async () => {
  consumer = await createConsumer()
  issuer = await startIssuer()
})
after(async () => {
  issuer?.stop()
  await consumer?.remove()
})

/** Every vector ran, and came out as expected. */
function assertConforms(text) {
  const { ran, failed } = typeof text === 'string' ? JSON.parse(text) : text
  assert.equal(failed.length, 0, [`${failed.length} vectors failed`, ...failed.slice(0, 5)].join('\n'))
  assert.ok(ran > 0 && ran === consumer.vectors, `${ran} of ${consumer.vectors} vectors ran`)
}

for (const [name, node] of [
  [`Node ${process.versions.node}`, () => process.execPath],
  ['Node 22', () => otherNode(22)],
  ['Node 24', () => otherNode(24)],
]) {
  for (const file of ['main.mjs', 'main.cjs', 'slim.mjs', 'slim.cjs']) {
    test(`${name}: ${file}`, async () => assertConforms(await output(await node(), [file], consumer.project)))
  }
}

/** With the scope, without, and kicked; and a page on which nobody is signed in. */
const TRIED = { before: 'alice', outside: 403, after: 'ERR_JWT_REVOKED', nobody: 'signed-out' }

for (const [name, program, args] of [
  ['Node', () => process.execPath, ['tried.mjs']],
  ['Node', () => process.execPath, ['tried.cjs']],
  ['Node 22', () => otherNode(22), ['tried.mjs']],
  ['Node 24', () => otherNode(24), ['tried.cjs']],
  ['Deno', () => bin('deno'), ['run', '--no-remote', '--node-modules-dir=manual', 'tried.mjs']],
  ['Bun', () => bin('bun'), ['tried.mjs']],
]) {
  test(`${name}: adapters and an issuer in memory, ${args.at(-1)}`, async () =>
    assert.deepEqual(JSON.parse(await output(await program(), args, consumer.project)), TRIED))
}

test('Deno', async () => {
  const args = ['run', '--no-remote', '--node-modules-dir=manual', 'main.mjs']
  assertConforms(await output(bin('deno'), args, consumer.project))
})

test('Bun', async () => assertConforms(await output(bin('bun'), ['main.mjs'], consumer.project)))

test('workerd, unbundled', async () => {
  const project = await consumer.sibling('workerd')
  const entry = await resolved('workerd', project)
  await cp(entry, join(project, 'doorlist.js'))
  await cp(join(entry, '../verifier.wasm'), join(project, 'verifier.wasm'))
  const server = await workerd('worker.capnp', project)
  try {
    assertConforms(await (await fetch(server.address)).json())
  } finally {
    server.stop()
  }
})

test('edge runtime: the module comes by `?module`, and none may be compiled', async () => {
  const modules = []
  const { outputFiles } = await esbuild({
    ...esbuildOptions('main.mjs'),
    conditions: ['edge-light'],
    plugins: [
      {
        name: 'module',
        setup(build) {
          build.onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({
            path: join(resolveDir, path.split('?')[0]),
            namespace: 'module',
          }))
          build.onLoad({ filter: /.*/, namespace: 'module' }, async ({ path }) => {
            modules.push(new WebAssembly.Module(await readFile(path)))
            return { contents: 'export default globalThis.MODULE' }
          })
        },
      },
    ],
  })
  assert.equal(modules.length, 1)
  const lines = []
  const { TextEncoder, TextDecoder, performance } = globalThis
  const globals = {
    MODULE: modules[0],
    console: { log: line => lines.push(line) },
    TextEncoder,
    TextDecoder,
    performance,
    URL,
  }
  const context = vm.createContext(globals, { codeGeneration: { strings: false, wasm: false } })
  vm.runInContext(outputFiles[0].text, context)
  assertConforms(lines[0])
})

/** Verified, kicked, and heard of it by the stream. */
const FOLLOWED = { before: 'not_revoked', after: 'ERR_JWT_REVOKED', mode: 'stream' }

for (const [name, program, args] of [
  ['Node', () => process.execPath, []],
  ['Deno', () => bin('deno'), ['run', '--no-remote', '--node-modules-dir=manual', '--allow-net']],
  ['Bun', () => bin('bun'), []],
]) {
  test(`${name} follows an issuer, and ends by itself once the verifier is closed`, { timeout: 60_000 }, async () => {
    const said = await output(program(), [...args, 'follow.mjs', await issuer.tenant()], consumer.project)
    assert.deepEqual(JSON.parse(said), FOLLOWED)
  })
}

test('Chromium follows an issuer of another origin', { timeout: 60_000 }, async () => {
  const project = await consumer.sibling('follow')
  await esbuild({
    ...esbuildOptions('follow-page.mjs'),
    absWorkingDir: project,
    write: true,
    outfile: join(project, 'bundle.js'),
  })
  await page(project, 'bundle.js')
  const server = await serve(project)
  try {
    const line = await firstLineIn(launchChromium, `${server.address}?${await issuer.tenant()}`)
    assert.deepEqual(JSON.parse(line), FOLLOWED)
  } finally {
    server.stop()
  }
})

test('workerd refreshes within requests, and hears of a kick between them', { timeout: 60_000 }, async () => {
  const project = await consumer.sibling('workerd-lazy')
  const entry = await resolved('workerd', project)
  await cp(entry, join(project, 'doorlist.js'))
  await cp(join(entry, '../verifier.wasm'), join(project, 'verifier.wasm'))
  const tenant = await issuer.tenant()
  const server = await workerd('worker-lazy.capnp', project, { ISSUER: tenant })
  try {
    const token = await (await fetch(`${tenant}/token`)).text()
    const ask = async () => (await fetch(server.address, { headers: { authorization: `Bearer ${token}` } })).json()
    assert.deepEqual(await ask(), { revocation: 'not_revoked' })
    await issuer.subscribed(tenant)
    await fetch(`${tenant}/kick`, { method: 'POST' })
    let answer = await ask()
    while (answer.code === undefined) answer = await ask()
    assert.deepEqual(answer, { code: 'ERR_JWT_REVOKED' })
  } finally {
    server.stop()
  }
})

test('esbuild, in Chromium', async () => {
  const project = await consumer.sibling('esbuild')
  await esbuild({
    ...esbuildOptions('main.mjs'),
    absWorkingDir: project,
    write: true,
    outfile: join(project, 'bundle.js'),
  })
  await inChromium(project, 'bundle.js')
})

test("esbuild, in Chromium under a Content-Security-Policy with 'wasm-unsafe-eval'", async () => {
  const project = await consumer.sibling('csp')
  await esbuild({
    ...esbuildOptions('main.mjs'),
    absWorkingDir: project,
    write: true,
    outfile: join(project, 'bundle.js'),
  })
  await inChromium(project, 'bundle.js', {
    'content-security-policy': "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
  })
})

test('in Chromium without it, the error says what is missing', async () => {
  const project = await consumer.sibling('no-csp')
  await esbuild({
    ...esbuildOptions('unavailable.mjs'),
    absWorkingDir: project,
    write: true,
    outfile: join(project, 'bundle.js'),
  })
  await page(project, 'bundle.js')
  const server = await serve(project, { 'content-security-policy': "default-src 'self'" })
  try {
    const { code, message } = JSON.parse(await firstLineIn(launchChromium, server.address))
    assert.equal(code, 'ERR_WASM_UNAVAILABLE')
    assert.match(message, /'wasm-unsafe-eval'/)
  } finally {
    server.stop()
  }
})

test('Vite build, in Chromium', async () => {
  const project = await consumer.sibling('vite-build')
  await page(project, 'main.mjs', 'module')
  await viteBuild({ root: project, logLevel: 'error' })
  await inChromium(join(project, 'dist'))
})

test('Vite dev, in Chromium', async () => {
  const project = await consumer.sibling('vite-dev')
  await page(project, 'main.mjs', 'module')
  const server = await viteServer({
    root: project,
    logLevel: 'error',
    server: { host: '127.0.0.1', port: 0, hmr: false },
  })
  try {
    await server.listen()
    assertConforms(await firstLineIn(launchChromium, `http://127.0.0.1:${server.httpServer.address().port}/`))
  } finally {
    await server.close()
  }
})

test('webpack, in Chromium', async () => {
  const project = await consumer.sibling('webpack')
  await webpacked(project, 'main.mjs')
  await inChromium(project, 'bundle.js')
})

test('Rollup, in Node', async () => {
  const project = await consumer.sibling('rollup')
  await writeFile(join(project, 'bundle.mjs'), await rolledUp(project, 'main.mjs'))
  assertConforms(await output(process.execPath, ['bundle.mjs'], project))
})

test('a bundle that uses nothing of the module leaves its bytes out', async () => {
  const project = await consumer.sibling('unused')
  const { outputFiles } = await esbuild(esbuildOptions('unused.mjs'))
  await webpacked(project, 'unused.mjs')
  const sizes = {
    esbuild: outputFiles[0].text.length,
    rollup: (await rolledUp(project, 'unused.mjs')).length,
    webpack: (await readFile(join(project, 'bundle.js'))).length,
  }
  for (const [bundler, size] of Object.entries(sizes)) assert.ok(size < 3000, `${bundler}: ${size} bytes`)
})

for (const [name, module, extension] of [
  ['node16, as ESM', 'node16', 'ts'],
  ['nodenext, as CommonJS', 'nodenext', 'cts'],
  ['a bundler', 'esnext', 'ts'],
]) {
  const compiles = async (project, source, types, ...more) => {
    if (extension === 'cts') await cp(join(project, `${source}.ts`), join(project, `${source}.cts`))
    const resolution = module === 'esnext' ? 'bundler' : module
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      module,
      '--moduleResolution',
      resolution,
      '--lib',
      'es2022,dom',
    ]
    const args = [...options, '--target', 'es2022', '--types', types, ...more, `${source}.${extension}`]
    await output(bin('tsc'), args, project).catch(error => assert.fail(error.stdout))
  }
  test(`types under the module resolution of ${name}`, () => compiles(consumer.project, 'types', ''))

  test(`types in those of the frameworks under the module resolution of ${name}`, async () => {
    const project = await consumer.sibling(`frameworks-${module}`)
    await mkdir(join(project, 'node_modules/@types'))
    for (const name of ['fastify', 'hono', '@types/node'])
      await symlink(join(js, 'node_modules', name), join(project, 'node_modules', name))
    // What the frameworks' own types get wrong is theirs.
    await compiles(project, 'frameworks', 'node', '--skipLibCheck')
  })
}

test('publint has nothing to say', async () => {
  await output(bin('publint'), ['run', consumer.tarball, '--strict'], js).catch(error => assert.fail(error.stdout))
})

test('are the types wrong? They are not', async () => {
  // Resolution before Node 12 knows no subpaths; TypeScript's `node10` is the one that is left out.
  const args = [consumer.tarball, '--profile', 'node16', '--no-color', '--exclude-entrypoints', './verifier.wasm']
  await output(bin('attw'), args, js).catch(error => assert.fail(error.stdout))
})

const esbuildOptions = entry => ({
  absWorkingDir: consumer.project,
  entryPoints: [entry],
  bundle: true,
  minify: true,
  write: false,
  format: 'iife',
  target: 'es2022',
  logLevel: 'silent',
})

async function webpacked(project, entry) {
  const stats = await new Promise((resolve, reject) =>
    webpack(
      {
        context: project,
        entry: `./${entry}`,
        mode: 'production',
        performance: false,
        output: { path: project, filename: 'bundle.js' },
      },
      (error, stats) => (error ? reject(error) : resolve(stats)),
    ),
  )
  assert.ok(!stats.hasErrors() && !stats.hasWarnings(), stats.toString())
}

async function rolledUp(project, entry) {
  const doorlist = await resolved('import', project)
  const plugin = {
    name: 'resolve',
    resolveId: name => (name === 'doorlist' ? { id: doorlist, moduleSideEffects: false } : null),
  }
  const bundle = await rollup({ input: join(project, entry), plugins: [plugin] })
  const { output: chunks } = await bundle.generate({ format: 'esm' })
  return chunks[0].code
}

/** Where Node finds the package under one more condition. */
async function resolved(condition, project) {
  const script = "import { fileURLToPath } from 'node:url'; console.log(fileURLToPath(import.meta.resolve('doorlist')))"
  const path = await output(
    process.execPath,
    [`--conditions=${condition}`, '--input-type=module', '--eval', script],
    project,
  )
  return path.trim()
}

const page = (project, script, type = 'text/javascript') =>
  writeFile(
    join(project, 'index.html'),
    `<!doctype html><meta charset="utf-8"><script type="${type}" src="./${script}"></script>\n`,
  )

async function inChromium(folder, script, headers) {
  if (script !== undefined) await page(folder, script)
  const server = await serve(folder, headers)
  try {
    assertConforms(await firstLineIn(launchChromium, server.address))
  } finally {
    server.stop()
  }
}
