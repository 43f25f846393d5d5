// Runs the Criterion benches of the Rust core, and reads the JSON files with their results.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fromRoot } from '../lib/doorlist.mjs'
import { spread } from '../lib/measure.mjs'

/** Returns the nanoseconds per iteration of each bench, in the order of the benches. */
export async function core() {
  const home = await mkdtemp(join(tmpdir(), 'doorlist-criterion-'))
  try {
    await promisify(execFile)('cargo', ['bench', '--quiet', '--bench', 'core'], {
      cwd: fromRoot('tests/bench/core'),
      env: { ...process.env, CRITERION_HOME: home },
      maxBuffer: 1 << 24,
    })
    const benches = await Promise.all((await readdir(home)).map(name => read(join(home, name, 'new'))))
    return Object.fromEntries(benches.sort((a, b) => a.at - b.at).map(({ title, took }) => [title, took]))
  } finally {
    await rm(home, { recursive: true })
  }
}

async function read(folder) {
  const parsed = async name => JSON.parse(await readFile(join(folder, name), 'utf8'))
  const [{ title }, { iters, times }] = [await parsed('benchmark.json'), await parsed('sample.json')]
  const { mtimeMs: at } = await stat(join(folder, 'sample.json'))
  return { title, at, took: spread(times.map((time, sample) => time / iters[sample])) }
}
