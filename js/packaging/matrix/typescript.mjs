// Checks the types of every subpath, with each module resolution of TypeScript. The rows use TypeScript 5.9, because 5
// is the last major version that has `node10`.
import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { ran } from './limits.mjs'

const types = fileURLToPath(new URL('../project/types.ts', import.meta.url))
const MODULES = { node10: 'commonjs', node16: 'node16', nodenext: 'nodenext', bundler: 'esnext' }

export const compiles =
  resolution =>
  async ({ project, issuer }) => {
    // The compiled program is CommonJS, so that Node can run it. The exception is `bundler`: its output would need a
    // bundler, which this row does not have.
    await cp(types, join(project, 'types.ts'))
    const options = ['--strict', '--lib', 'es2022,dom', '--target', 'es2022', '--module', MODULES[resolution]]
    const tsc = (...args) =>
      ran(
        process.execPath,
        ['node_modules/typescript/bin/tsc', ...options, '--moduleResolution', resolution, ...args],
        project,
      )
    await tsc('--noEmit', 'types.ts')
    await tsc('--outDir', `out-${resolution}`, 'follow.ts')
    if (resolution === 'bundler') return
    const said = await ran(process.execPath, [`out-${resolution}/follow.js`, await issuer.tenant()], project)
    assert.deepEqual(JSON.parse(said), { before: 'not_revoked', after: 'ERR_JWT_REVOKED' })
  }
