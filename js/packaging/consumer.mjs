// The package in the form that a user gets. The package is packed, and the tarball is installed into an empty project
// outside this source tree.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const js = fileURLToPath(new URL('..', import.meta.url))
const vectorsDirectory = join(js, '../tests/vectors')
const run = promisify(execFile)

/** Packs the package, creates the project, and installs the tarball without a network. */
export async function createConsumer() {
  if (!existsSync(join(js, 'dist/index.js'))) throw new Error('js/dist is missing: run `npm run build` in js/ first.')
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'doorlist-packaging-')))
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', directory], {
    cwd: js,
  })
  const [{ filename }] = JSON.parse(stdout)
  const project = join(directory, 'project')
  await cp(join(js, 'packaging/project'), project, { recursive: true })
  await writeFile(join(project, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n')
  await run('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', join(directory, filename)], {
    cwd: project,
  })
  const vectors = await readVectors()
  await writeFile(join(project, 'vectors.mjs'), `export default ${JSON.stringify(vectors)}\n`)
  return {
    project,
    tarball: join(directory, filename),
    /** Asserts that all vectors ran, and that each vector had the expected result. */
    assertConforms(text) {
      const { ran, failed } = typeof text === 'string' ? JSON.parse(text) : text
      assert.equal(failed.length, 0, [`${failed.length} vectors failed`, ...failed.slice(0, 5)].join('\n'))
      assert.ok(ran > 0 && ran === vectors.length, `${ran} of ${vectors.length} vectors ran`)
    },
    /** Returns a copy of the project, for tools that write files into a project. */
    async sibling(name) {
      const path = join(directory, name)
      await mkdir(path)
      await cp(project, path, { recursive: true })
      return path
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}

async function readVectors() {
  const names = (await readdir(vectorsDirectory)).filter(name => name.endsWith('.json')).sort()
  const files = await Promise.all(names.map(name => readFile(join(vectorsDirectory, name), 'utf8')))
  return files.flatMap(text => JSON.parse(text))
}
