// Rows for Nitro, and for Nuxt, which uses Nitro as its server. Both have a preset for Node and presets for edge
// platforms.
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ran } from './limits.mjs'
import { inNode, inWorkerd } from './services.mjs'

/**
 * Vercel's edge calls the function with a request and a context. In these rows workerd makes this call. Like Vercel's
 * edge, workerd cannot compile a module from bytes.
 */
const asVercel = `import handle from './index.mjs'
export default { fetch: (request, env, context) => handle(request, context) }
`

/**
 * @param {string[]} command the command of a build
 * @param {object} [how] the options of `inNode` and `inWorkerd`
 */
export const presets = (command, how) => {
  const built = (preset, wasm) => async (project, program) => {
    for (const folder of ['.output', '.vercel']) await rm(join(project, folder), { recursive: true, force: true })
    const env = { NITRO_PRESET: preset, ...(wasm && { WASM: '1' }), NUXT_TELEMETRY_DISABLED: '1' }
    await ran(program, command, project, env)
  }
  /**
   * Without the setting `WASM` the build must fail with an error that names the file. If the build succeeded, the
   * server would refuse every request.
   */
  const onEdge = preset => async (project, program) => {
    await assert.rejects(built(preset, false)(project, program), error =>
      /verifier\.wasm/.test(error.stdout + error.stderr),
    )
    await built(preset, true)(project, program)
  }
  const vercel = { folder: '.vercel/output/functions/__fallback.func', wrapper: asVercel }
  return {
    node: inNode({ build: built('node-server', false), start: '.output/server/index.mjs', ...how }),
    cloudflare: inWorkerd({ build: onEdge('cloudflare-module'), folder: '.output/server', ...how }),
    'vercel-edge': inWorkerd({ build: onEdge('vercel-edge'), ...vercel, ...how }),
  }
}
