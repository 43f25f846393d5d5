// Creates the project of a row outside this source tree, so that the project uses no file of this tree by accident. The
// project has the files of the row's folder, the packages of its lock file, and the tarball.
import { createHash } from 'node:crypto'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { ran } from './limits.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'doorlist/matrix')
const done = new Map()
/**
 * The maximum number of milliseconds for an installation. Nuxt has 570 packages, which take a minute and a half on a
 * fast connection.
 */
const INSTALL_LIMIT_MS = 900_000

/** Returns the folder of a project. The installed packages stay in the cache until the lock file changes. */
export async function installed(folder, consumer) {
  if (!done.has(folder)) done.set(folder, install(folder, consumer))
  return done.get(folder)
}

async function install(folder, consumer) {
  const from = join(here, folder)
  const project = join(cache, folder)
  const lock = await readFile(join(from, 'package-lock.json'), 'utf8')
  const stamp = createHash('sha256').update(lock).digest('hex')
  const stamped = await readFile(join(project, '.lock'), 'utf8').catch(() => undefined)
  if (stamped !== stamp) {
    await rm(project, { recursive: true, force: true })
    await mkdir(project, { recursive: true })
    await cp(from, project, { recursive: true })
    // `npm install` keeps the versions of the lock file. `npm ci` is not used, because it refuses a lock file that
    // lacks an optional package of another platform.
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--engine-strict=false']
    await ran('npm', args, project, {}, INSTALL_LIMIT_MS)
    await writeFile(join(project, '.lock'), stamp)
  }
  await cp(from, project, { recursive: true })
  await cp(join(here, '../project/following.mjs'), join(project, 'following.mjs'))
  const target = join(project, 'node_modules/doorlist')
  await rm(target, { recursive: true, force: true })
  await mkdir(target, { recursive: true })
  // The tarball has no dependencies and no scripts, so unpacking is enough. `npm install` would query the registry for
  // all other packages again.
  await ran('tar', ['-xzf', consumer.tarball, '-C', target, '--strip-components=1'], project)
  return project
}
