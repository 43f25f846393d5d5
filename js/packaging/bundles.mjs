// Bundles a program of a project into one script. There is one function for each bundler.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { rollup } from 'rollup'
import webpack from 'webpack'
import { output } from './tools.mjs'

/** Bundles this program, and writes a page that runs the bundle. */
export async function esbuilt(project, entry) {
  await build({ ...esbuildOptions(project, entry), write: true, outfile: join(project, 'bundle.js') })
  await page(project, 'bundle.js')
}

export const esbuildOptions = (project, entry) => ({
  absWorkingDir: project,
  entryPoints: [entry],
  bundle: true,
  minify: true,
  write: false,
  format: 'iife',
  target: 'es2022',
  logLevel: 'silent',
})

export async function webpacked(project, entry) {
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

export async function rolledUp(project, entry) {
  const doorlist = await resolved([], project)
  const plugin = {
    name: 'resolve',
    resolveId: name => (name === 'doorlist' ? { id: doorlist, moduleSideEffects: false } : null),
  }
  const bundle = await rollup({ input: join(project, entry), plugins: [plugin] })
  const { output: chunks } = await bundle.generate({ format: 'esm' })
  return chunks[0].code
}

/** Returns the file that Node resolves for `doorlist` when these export conditions are added. */
export async function resolved(conditions, project) {
  const script = "import { fileURLToPath } from 'node:url'; console.log(fileURLToPath(import.meta.resolve('doorlist')))"
  const path = await output(
    process.execPath,
    [...conditions.map(name => `--conditions=${name}`), '--input-type=module', '--eval', script],
    project,
  )
  return path.trim()
}

/** Writes a page that runs this script. */
export const page = (project, script, type = 'text/javascript') =>
  writeFile(
    join(project, 'index.html'),
    `<!doctype html><meta charset="utf-8"><script type="${type}" src="./${script}"></script>\n`,
  )
