// Package managers that do not use npm's layout. They link packages from a store, or create no node_modules folder.
import assert from 'node:assert/strict'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { FOLLOWED } from '../issuer.mjs'
import { ran } from './limits.mjs'

const managers = {
  pnpm: {
    program: 'pnpm/bin/pnpm.cjs',
    install: tarball => ['add', '--offline', '--ignore-scripts', tarball],
    node: ['exec', 'node'],
  },
  'Yarn PnP': {
    program: '@yarnpkg/cli-dist/bin/yarn.js',
    install: tarball => ['add', `doorlist@file:${tarball}`],
    node: ['node'],
  },
}

export const managed =
  name =>
  async ({ project, consumer, issuer }) => {
    const { program, install, node } = managers[name]
    const folder = await mkdtemp(join(tmpdir(), 'doorlist-managed-'))
    try {
      for (const file of ['follow.mjs', 'following.mjs']) await cp(join(consumer.project, file), join(folder, file))
      await writeFile(join(folder, 'package.json'), '{ "name": "managed", "private": true, "type": "module" }\n')
      await writeFile(join(folder, 'yarn.lock'), '')
      const env = {
        YARN_NODE_LINKER: 'pnp',
        YARN_ENABLE_TELEMETRY: '0',
        YARN_ENABLE_IMMUTABLE_INSTALLS: '0',
        YARN_GLOBAL_FOLDER: join(folder, '.yarn-global'),
        YARN_IGNORE_PATH: '1',
        npm_config_store_dir: join(folder, '.pnpm-store'),
      }
      const manager = (...args) => ran(process.execPath, [join(project, 'node_modules', program), ...args], folder, env)
      await manager(...install(consumer.tarball))
      const said = await manager(...node, 'follow.mjs', await issuer.tenant())
      assert.deepEqual(JSON.parse(said), FOLLOWED)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
