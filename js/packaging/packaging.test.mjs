// The installed package on platforms where other WebAssembly packages could not be loaded (seen in the field:
// eclipse-biscuit/biscuit-wasm#45, cloudflare/workers-sdk#1366, loro-dev/loro#975, dqbd/tiktoken#28).
import assert from 'node:assert/strict'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import vm from 'node:vm'
import { build as esbuild } from 'esbuild'
import { esbuildOptions, resolved, rolledUp, webpacked } from './bundles.mjs'
import { createConsumer, js } from './consumer.mjs'
import { FOLLOWED, RESTARTED, startIssuer } from './issuer.mjs'
import { bin, otherNode, output, workerd } from './tools.mjs'

let consumer, issuer
before(async () => {
  consumer = await createConsumer()
  issuer = await startIssuer()
})
after(async () => {
  issuer?.stop()
  await consumer?.remove()
})

for (const [name, node] of [
  [`Node ${process.versions.node}`, () => process.execPath],
  ['Node 22', () => otherNode(22)],
  ['Node 24', () => otherNode(24)],
  ['Node 26', () => otherNode(26)],
]) {
  for (const file of ['main.mjs', 'main.cjs', 'slim.mjs', 'slim.cjs']) {
    test(`the package conforms in ${name}: ${file}`, async () =>
      consumer.assertConforms(await output(await node(), [file], consumer.project)))
  }
}

/**
 * The expected results with the scope, without the scope and after the kick. The last member of this object is the
 * expected state of a page where no user is signed in.
 */
const TRIED = { before: 'alice', outside: 403, after: 'ERR_JWT_REVOKED', nobody: 'signed-out' }

for (const [name, program, args] of [
  ['Node', () => process.execPath, ['tried.mjs']],
  ['Node', () => process.execPath, ['tried.cjs']],
  ['Node 22', () => otherNode(22), ['tried.mjs']],
  ['Node 24', () => otherNode(24), ['tried.cjs']],
  ['Node 26', () => otherNode(26), ['tried.mjs']],
  ['Deno', () => bin('deno'), ['run', '--no-remote', '--node-modules-dir=manual', 'tried.mjs']],
  ['Bun', () => bin('bun'), ['tried.mjs']],
]) {
  test(`adapters and an issuer in memory work in ${name}: ${args.at(-1)}`, async () =>
    assert.deepEqual(JSON.parse(await output(await program(), args, consumer.project)), TRIED))
}

test('the package conforms in Deno', async () => {
  const args = ['run', '--no-remote', '--node-modules-dir=manual', 'main.mjs']
  consumer.assertConforms(await output(bin('deno'), args, consumer.project))
})

test('the package conforms in Bun', async () =>
  consumer.assertConforms(await output(bin('bun'), ['main.mjs'], consumer.project)))

test('the package conforms in workerd without a bundler', async () => {
  const project = await consumer.sibling('workerd')
  const entry = await resolved(['workerd'], project)
  await cp(entry, join(project, 'doorlist.js'))
  await cp(join(entry, '../verifier.wasm'), join(project, 'verifier.wasm'))
  const server = await workerd('worker.capnp', project)
  try {
    consumer.assertConforms(await (await fetch(server.address)).json())
  } finally {
    server.stop()
  }
})

// An error with the reason `memory` cannot be tested here: if the address space is too small, V8 ends the whole workerd
// process and throws no error.
test('C9: in workerd, which compiles no bytes, the error has the reason code_generation', async () => {
  const project = await consumer.sibling('workerd-unavailable')
  await cp(await resolved([], project), join(project, 'doorlist.js'))
  const server = await workerd('worker-unavailable.capnp', project)
  try {
    const { code, message, evidence, cause } = await (await fetch(server.address)).json()
    assert.deepEqual([code, evidence.reason], ['ERR_WASM_UNAVAILABLE', 'code_generation'])
    assert.match(message, /does not compile WebAssembly while it runs; pass the compiled module \(`doorlist\/slim`\)/)
    assert.match(cause, /^CompileError: .*code generation disallowed/)
  } finally {
    server.stop()
  }
})

test('in an edge runtime the module is imported with `?module`, because compiling bytes is not allowed', async () => {
  const modules = []
  const { outputFiles } = await esbuild({
    ...esbuildOptions(consumer.project, 'main.mjs'),
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
  consumer.assertConforms(lines[0])
})

for (const [name, program, args] of [
  ['Node', () => process.execPath, []],
  ['Deno', () => bin('deno'), ['run', '--no-remote', '--node-modules-dir=manual', '--allow-net']],
  ['Bun', () => bin('bun'), []],
]) {
  test(
    `${name} follows an issuer, and the process ends after the verifier is closed`,
    { timeout: 60_000 },
    async () => {
      const said = await output(program(), [...args, 'follow.mjs', await issuer.tenant()], consumer.project)
      assert.deepEqual(JSON.parse(said), FOLLOWED)
    },
  )
}

for (const [name, program, args] of [
  ['Node', () => process.execPath, []],
  [
    'Deno',
    () => bin('deno'),
    ['run', '--no-remote', '--node-modules-dir=manual', '--allow-net', '--allow-read', '--allow-write'],
  ],
  ['Bun', () => bin('bun'), []],
]) {
  test(
    `${name} starts without a network from the list in a file (field: wso2/product-microgateway#2447)`,
    { timeout: 60_000 },
    async () => {
      const folder = join(consumer.project, `lists-${name}`)
      const said = await output(program(), [...args, 'restart.mjs', await issuer.tenant(), folder], consumer.project)
      assert.deepEqual(JSON.parse(said), RESTARTED)
    },
  )
}

// Seen in the field: growthbook/growthbook-golang#51. The package must not use EventSource, because workerd lacks it.
test('workerd refreshes within requests, and learns of a kick between them', { timeout: 60_000 }, async () => {
  const project = await consumer.sibling('workerd-lazy')
  const entry = await resolved(['workerd'], project)
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

test('a bundle of Rollup conforms in Node', async () => {
  const project = await consumer.sibling('rollup')
  await writeFile(join(project, 'bundle.mjs'), await rolledUp(project, 'main.mjs'))
  consumer.assertConforms(await output(process.execPath, ['bundle.mjs'], project))
})

test('a bundle that does not use the WebAssembly module does not contain its bytes', async () => {
  const project = await consumer.sibling('unused')
  const { outputFiles } = await esbuild(esbuildOptions(consumer.project, 'unused.mjs'))
  await webpacked(project, 'unused.mjs')
  const sizes = {
    esbuild: outputFiles[0].text.length,
    rollup: (await rolledUp(project, 'unused.mjs')).length,
    webpack: (await readFile(join(project, 'bundle.js'))).length,
  }
  // The module has more than 160,000 bytes, so a bundle of less than 4,000 bytes cannot contain the module. The program
  // only needs the code that recognises errors in their plain form.
  for (const [bundler, size] of Object.entries(sizes)) assert.ok(size < 4000, `${bundler}: ${size} bytes`)
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
  test(`the types compile under the module resolution of ${name}`, () => compiles(consumer.project, 'types', ''))

  test(`the types of the adapters and of the frameworks compile under the module resolution of ${name}`, async () => {
    const project = await consumer.sibling(`frameworks-${module}`)
    await mkdir(join(project, 'node_modules/@types'))
    for (const name of ['fastify', 'hono', '@types/node'])
      await symlink(join(js, 'node_modules', name), join(project, 'node_modules', name))
    // `--skipLibCheck`: errors in the types of the frameworks themselves do not matter here.
    await compiles(project, 'frameworks', 'node', '--skipLibCheck')
  })
}

test('publint finds no problem', async () => {
  await output(bin('publint'), ['run', consumer.tarball, '--strict'], js).catch(error => assert.fail(error.stdout))
})

test('C7: `attw` finds no wrong types under any module resolution of TypeScript', async () => {
  const args = [consumer.tarball, '--no-color', '--exclude-entrypoints', './verifier.wasm']
  await output(bin('attw'), args, js).catch(error => assert.fail(error.stdout))
})

test('C7: a loader that does not read `exports` finds every subpath, as ESM and as CommonJS', async () => {
  const folder = join(consumer.project, 'node_modules/doorlist')
  const { exports } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const subpaths = Object.keys(exports).filter(path => path !== '.' && path !== './package.json')
  assert.ok(subpaths.length >= 10)
  for (const subpath of subpaths) {
    const at = join(folder, subpath)
    const stub = JSON.parse(await readFile(join(at, 'package.json'), 'utf8'))
    const target = exports[subpath]
    for (const [found, wanted] of [
      [stub.main, target.require ?? target],
      [stub.module, target.import],
    ])
      if (wanted) assert.equal(join(at, found), join(folder, wanted.default), subpath)
    assert.equal(join(at, stub.types), join(folder, (target.require ?? target).types))
    for (const path of [stub.types, stub.main, stub.module ?? stub.main]) await readFile(join(at, path))
    // Node ignores `exports` when a program loads a folder by its path.
    if (target.require) await output(process.execPath, ['--eval', `require(${JSON.stringify(at)})`], consumer.project)
  }
})

// Node always adds its own condition `node`. Therefore Nitro's edge presets are tested in the matrix, and not here.
for (const [loader, conditions, file] of [
  ['Node', [], 'index.js'],
  ['Wrangler', ['workerd', 'worker', 'browser'], 'workerd.js'],
  ['Next on the edge', ['edge-light', 'worker', 'browser'], 'edge-light.js'],
  ['a loader that is on several edges', ['workerd', 'edge-light'], 'edge-light.js'],
  ["Nitro's preset for Node, with modules", ['node', 'wasm', 'unwasm'], 'index.js'],
]) {
  test(`C7: ${loader} resolves to ${file}`, async () =>
    assert.equal(basename(await resolved(conditions, consumer.project)), file))
}
