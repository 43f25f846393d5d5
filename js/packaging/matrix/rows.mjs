// The rows of the matrix. `folder` is the project that the row installs. `tool` is the package whose version the table
// shows.
import process from 'node:process'
import { angular } from './angular.mjs'
import { managed } from './managers.mjs'
import { presets } from './nitro.mjs'
import { parcel } from './pages.mjs'
import { ran } from './limits.mjs'
import { sveltekit } from './sveltekit.mjs'
import { otherNode } from '../tools.mjs'
import { compiles } from './typescript.mjs'

const nitro = presets(['node_modules/nitropack/dist/cli/index.mjs', 'build'])
/**
 * Nuxt requires at least Node 22. This program can also run in an older Node, because the package supports older
 * versions. Therefore the row always uses Node 24.
 */
const nuxt = presets(['node_modules/nuxt/bin/nuxt.mjs', 'build'], {
  node: () => otherNode(24),
  path: '/verify',
  page: true,
})
const of = (name, folder, tool, runs) =>
  Object.entries(runs).map(([preset, run]) => ({ name: `${name}, ${preset}`, folder, tool, run }))

/**
 * Runs a test runner with the tests of the project, against a new issuer. The row fails if a test fails, or if the
 * runner finds no tests.
 */
const tested =
  (...args) =>
  async ({ project, issuer }) =>
    ran(process.execPath, args, project, { ISSUER: await issuer.tenant() })

export const rows = [
  {
    name: 'Jest, node',
    folder: 'jest',
    tool: 'jest',
    run: tested('node_modules/jest/bin/jest.js', '--ci', '--env=node'),
  },
  {
    name: 'Jest, jsdom',
    folder: 'jest',
    tool: 'jest',
    run: tested('node_modules/jest/bin/jest.js', '--ci', '--env=./jsdom-with-fetch.js'),
  },
  ...['node', 'jsdom', 'happy-dom', 'edge-runtime'].map(environment => ({
    name: `Vitest, ${environment}`,
    folder: 'vitest',
    tool: 'vitest',
    run: tested('node_modules/vitest/vitest.mjs', 'run', `--environment=${environment}`),
  })),
  ...['node10', 'node16', 'nodenext', 'bundler'].map(resolution => ({
    name: `TypeScript, ${resolution}`,
    folder: 'typescript',
    tool: 'typescript',
    run: compiles(resolution),
  })),
  { name: 'Parcel', folder: 'parcel', tool: 'parcel', run: parcel },
  ...['pnpm', 'Yarn PnP'].map(name => ({
    name,
    folder: 'managers',
    tool: name === 'pnpm' ? 'pnpm' : '@yarnpkg/cli-dist',
    run: managed(name),
  })),
  ...of('Nitro', 'nitro', 'nitropack', nitro),
  ...of('Nuxt', 'nuxt', 'nuxt', nuxt),
  { name: 'SvelteKit, adapter-node', folder: 'sveltekit', tool: '@sveltejs/kit', run: sveltekit },
  { name: 'Angular with zone.js', folder: 'angular', tool: '@angular/core', run: angular },
]
