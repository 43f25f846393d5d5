// Nitro and Nuxt, whose server it is: a preset for Node, and one for an edge.
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { inNode, inWorkerd, ran } from './services.mjs'

/** @param {(preset: string) => string[]} command */
export const presets = (command, node) => {
  const built = (preset, wasm) => async (project, program) => {
    await rm(join(project, '.output'), { recursive: true, force: true })
    const env = { NITRO_PRESET: preset, ...(wasm && { WASM: '1' }), NUXT_TELEMETRY_DISABLED: '1' }
    await ran(program, command(preset), project, env)
  }
  /** Without the setting the build ends, and names the file: better than a server that refuses every request. */
  const onEdge = preset => async (project, program) => {
    await assert.rejects(built(preset, false)(project, program), error =>
      /verifier\.wasm/.test(error.stdout + error.stderr),
    )
    await built(preset, true)(project, program)
  }
  return {
    node: inNode({ build: built('node-server', false), start: '.output/server/index.mjs', node }),
    cloudflare: inWorkerd({ build: onEdge('cloudflare-module'), folder: '.output/server', node }),
  }
}
