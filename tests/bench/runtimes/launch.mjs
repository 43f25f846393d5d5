// Starts each runtime, and collects its version, the results of the contests, and the times of first verifications.
import { createRequire } from 'node:module'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bin, launchChromium, output, serve, workerd } from '../../../js/packaging/tools.mjs'
import { LOOKUP, PACKAGE, fromRoot } from '../lib/doorlist.mjs'
import { interleaved, spread } from '../lib/measure.mjs'
import { theWorld } from './world.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))

/** Calls `use` with a folder that contains the files for all runtimes. Then removes the folder. */
export async function withFolder(use) {
  const folder = await mkdtemp(join(tmpdir(), 'doorlist-runtimes-'))
  try {
    const world = await theWorld()
    await writeFile(join(folder, 'world.json'), JSON.stringify(world))
    await writeFile(join(folder, 'first.json'), JSON.stringify(smallWorld(world)))
    await cp(LOOKUP, join(folder, 'lookup.wasm'))
    await bundled(folder)
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Returns a copy of the world with only one token. */
const smallWorld = ({ tokens, list, ...world }) => ({
  ...world,
  tokens: tokens.slice(0, 1),
  orders: [],
  deltas: [],
  large: '',
  largeDeltas: {},
})

/** Bundles the page into one script, and the worker into another script. */
async function bundled(folder) {
  const esbuild = createRequire(fromRoot('js/package.json')).resolve('esbuild')
  const { build } = await import(pathToFileURL(esbuild))
  const common = { absWorkingDir: here, bundle: true, target: 'es2022', logLevel: 'warning' }
  await build({ ...common, entryPoints: ['page.mjs'], outfile: join(folder, 'page.js'), format: 'iife' })
  await build({
    ...common,
    entryPoints: ['worker.mjs'],
    outfile: join(folder, 'worker.js'),
    format: 'esm',
    conditions: ['workerd'],
    external: ['doorlist', '*.wasm', '*.json'],
  })
  await writeFile(join(folder, 'index.html'), '<!doctype html><meta charset="utf-8"><script src="page.js"></script>\n')
  await cp(join(here, 'worker.capnp'), join(folder, 'worker.capnp'))
  await cp(join(PACKAGE, 'workerd.js'), join(folder, 'doorlist.js'))
  await cp(join(PACKAGE, 'verifier.wasm'), join(folder, 'verifier.wasm'))
}

const processRuntime = (program, ...args) => ({
  hasFastJwt: true,
  async version() {
    return /\d[\d.]+/.exec(await output(program(), ['--version'], here))[0]
  },
  measure: async folder => JSON.parse(await output(program(), [...args, 'process.mjs', folder], here)),
  first: async (folder, contender) =>
    Number(await output(program(), [...args, 'process.mjs', folder, contender], here)) * 1e6,
})

/** With these headers the page is isolated from other origins, and its clock has a resolution of 5 µs. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }

async function inPage(folder, use) {
  const server = await serve(folder, ISOLATED)
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    await page.goto(server.address)
    return await use(page, browser)
  } finally {
    await browser.close()
    server.stop()
  }
}

/** Calls `use` with a function that requests one step from the worker and waits for the step to end. */
async function withWorker(folder, use) {
  const server = await workerd('worker.capnp', folder)
  try {
    return await use(async (...step) => {
      const response = await fetch(server.address + step.map(encodeURIComponent).join('/'))
      if (!response.ok) throw new Error(`workerd: ${step.join(' ')}: ${await response.text()}`)
      return response.json()
    })
  } finally {
    server.stop()
  }
}

const EMPTY = 'an empty round'

/**
 * Measures each round from the request to the answer. The time of a round without operations is subtracted. Such rounds
 * and the rounds of the contenders take turns.
 */
async function contestOf(ask, name) {
  const { operations, rounds, warmup } = await ask('make', name)
  const contenders = Object.fromEntries(Object.keys(operations).map(one => [one, () => ask('run', one)]))
  const times = await interleaved({
    contenders: { ...contenders, [EMPTY]: () => ask('nothing') },
    input: round => ask('input', round),
    own: (_, contender) => (contender === EMPTY ? undefined : ask('own', contender)),
    operations: 1,
    rounds,
    warmup,
  })
  const { [EMPTY]: empty, ...others } = times
  const each = ([one, took]) => [one, spread(took.rounds.map(ns => (ns - empty.median) / operations[one]))]
  return Object.fromEntries(Object.entries(others).map(each))
}

/** The runtimes by name. The times of first verifications are in nanoseconds. */
export const runtimes = {
  Node: processRuntime(() => process.execPath),
  Deno: processRuntime(() => bin('deno'), 'run', '--allow-all', '--no-remote', '--node-modules-dir=manual'),
  Bun: processRuntime(() => bin('bun')),
  workerd: {
    version: async () => (await output(bin('workerd'), ['--version'], here)).trim().replace(/^workerd /, ''),
    measure: folder =>
      withWorker(folder, async ask => {
        const results = {}
        for (const name of ['cold', 'warm', 'large list']) results[name] = await contestOf(ask, name)
        return results
      }),
    first: (folder, contender) =>
      withWorker(folder, async ask => {
        const timed = async (...step) => {
          const begin = performance.now()
          await ask(...step)
          return (performance.now() - begin) * 1e6
        }
        const empty = []
        for (let round = 0; round < 21; round++) empty.push(await timed('nothing'))
        return (await timed('first', contender)) - spread(empty).median
      }),
  },
  Chromium: {
    version: folder => inPage(folder, (_, browser) => browser.version()),
    measure: folder => inPage(folder, page => page.evaluate(() => globalThis.measure())),
    first: (folder, contender) =>
      inPage(folder, async page => (await page.evaluate(one => globalThis.first(one), contender)) * 1e6),
  },
}
