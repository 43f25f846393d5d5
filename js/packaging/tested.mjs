// The table of tested platforms in the README. Each row has a version from a lock file, and the test of the platform.
// `node packaging/tested.mjs` prints the table.
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const here = new URL('.', import.meta.url)
const lockOf = path => JSON.parse(readFileSync(new URL(`${path}package-lock.json`, here), 'utf8')).packages
const [own, nodes, next] = ['../', 'nodes/', '../examples/next/'].map(lockOf)

const of = (lock, name) => lock[`node_modules/${name}`].version
/** Returns the version of a package in the lock file of js/. */
const ours = name => of(own, name)
const debian = "Debian's"

const packaging = 'packaging/packaging.test.mjs'
const browsers = 'packaging/browsers.test.mjs'
const workers = 'packaging/workers.test.mjs'
const adapters = '../tests/js/adapters.test.mjs'
const examples = '../tests/js/examples.test.mjs'

/**
 * Each row has a platform, its version, the file with its test, and a text from this test. If the file does not contain
 * the text any more, the test is missing.
 */
const inTest = [
  ['Node 20, ESM and CommonJS', '20.19 and newer', packaging, 'process.versions.node'],
  ['Node 22, ESM and CommonJS', of(nodes, 'node-22-linux-x64'), packaging, "'Node 22'"],
  ['Node 24, ESM and CommonJS', of(nodes, 'node-24-linux-x64'), packaging, "'Node 24'"],
  ['Node 26, ESM and CommonJS', of(nodes, 'node-26-linux-x64'), packaging, "'Node 26'"],
  ['Deno', ours('deno'), packaging, "'the package conforms in Deno'"],
  ['Bun', ours('bun'), packaging, "'the package conforms in Bun'"],
  ['workerd (Cloudflare Workers)', ours('workerd'), packaging, "'the package conforms in workerd without a bundler'"],
  ['an edge runtime that compiles no WebAssembly', 'simulated', packaging, "'in an edge runtime "],
  ['Chromium', debian, browsers, "['Chromium', "],
  ['Firefox', debian, browsers, "'Firefox']) {"],
  ['dedicated, shared and service workers', debian, workers, 'dedicated: ['],
  ['a page of an MV3 extension', debian, workers, 'MV3 extension'],
  ['React Native', 'simulated', 'packaging/native.test.mjs', 'React Native'],
  ['Vite, build and server', ours('vite'), browsers, 'a page of Vite’s development server'],
  ['webpack', ours('webpack'), browsers, 'a bundle of webpack conforms in'],
  ['esbuild', ours('esbuild'), browsers, 'a bundle of esbuild conforms in'],
  ['Rollup', ours('rollup'), packaging, "'a bundle of Rollup conforms in Node'"],
  ['TypeScript: node16, nodenext, bundler', ours('typescript'), packaging, "'nodenext, as CommonJS'"],
  ['Express 5', ours('express'), adapters, 'Object.entries(frameworks)'],
  ['Express 4', ours('express4'), adapters, 'Object.entries(frameworks)'],
  ['Fastify', ours('fastify'), adapters, 'Object.entries(frameworks)'],
  ['`@fastify/jwt` beside it', ours('@fastify/jwt'), 'test/beside.test.ts', '@fastify/jwt and doorlist/fastify'],
  ['`express-jwt` beside it', ours('express-jwt'), 'test/beside.test.ts', 'express-jwt and doorlist/express'],
  ['Hono', ours('hono'), adapters, 'Object.entries(frameworks)'],
  ['Next.js', of(next, 'next'), examples, "'next/start'"],
]

/**
 * Platforms that `make matrix` tests, with the names of their rows in the matrix. Several rows of the matrix can belong
 * to one row of this table.
 */
const inMatrix = [
  ['Jest: node, jsdom (with Node’s `fetch` and `TextDecoder`)', 'jest', 'jest', ['Jest, node', 'Jest, jsdom']],
  [
    'Vitest: node, jsdom, happy-dom, edge-runtime',
    'vitest',
    'vitest',
    ['Vitest, node', 'Vitest, jsdom', 'Vitest, happy-dom', 'Vitest, edge-runtime'],
  ],
  [
    'TypeScript: node10, node16, nodenext, bundler',
    'typescript',
    'typescript',
    ['TypeScript, node10', 'TypeScript, node16', 'TypeScript, nodenext', 'TypeScript, bundler'],
  ],
  ['Parcel', 'parcel', 'parcel', ['Parcel']],
  ['pnpm', 'managers', 'pnpm', ['pnpm']],
  ['Yarn, Plug’n’Play', 'managers', '@yarnpkg/cli-dist', ['Yarn PnP']],
  [
    'Nitro: node, cloudflare and vercel-edge (in workerd)',
    'nitro',
    'nitropack',
    ['Nitro, node', 'Nitro, cloudflare', 'Nitro, vercel-edge'],
  ],
  [
    'Nuxt: node with a page, cloudflare and vercel-edge (in workerd)',
    'nuxt',
    'nuxt',
    ['Nuxt, node', 'Nuxt, cloudflare', 'Nuxt, vercel-edge'],
  ],
  ['SvelteKit: adapter-node with a page', 'sveltekit', '@sveltejs/kit', ['SvelteKit, adapter-node']],
  ['Angular with zone.js', 'angular', '@angular/core', ['Angular with zone.js']],
]

export const testedIn = inTest.map(([, , file, words]) => ({ file: fileURLToPath(new URL(`../${file}`, here)), words }))
export const namedInMatrix = inMatrix.flatMap(([, , , names]) => names)

const shown = file => file.replace(/^\.\.\//, '')
export const table = [
  '| where | version | test |',
  '|---|---|---|',
  ...inTest.map(([what, version, file]) => `| ${what} | ${version} | \`${shown(file)}\` |`),
  ...inMatrix.map(
    ([what, folder, tool]) => `| ${what} | ${of(lockOf(`matrix/${folder}/`), tool)} | \`make matrix ROW=${folder}\` |`,
  ),
].join('\n')

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(table)
