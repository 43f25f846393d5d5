// `make matrix`: runs the packed package in each tool of the README's table, one row after another. Each row verifies a
// token, loads a list and checks that a kicked user is refused. If a row cannot run, the row fails. No row is skipped.
import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { createConsumer } from '../consumer.mjs'
import { startIssuer } from '../issuer.mjs'
import { installed } from './install.mjs'
import { LIMIT_MS, within } from './limits.mjs'
import { rows } from './rows.mjs'

const wanted = process.env.ROW || undefined
const chosen = rows.filter(({ folder, name }) => !wanted || folder === wanted || name === wanted)
if (chosen.length === 0) {
  const folders = [...new Set(rows.map(({ folder }) => folder))]
  console.error(`there is no row ${wanted}: ROW is one of ${folders.join(', ')}`)
  process.exit(2)
}

/**
 * If a row fails, at most this many characters of its output are shown. The cause is at the beginning of the output.
 */
const LONGEST = 4000
const results = []
const consumer = await within('packing', createConsumer)
const issuer = await startIssuer()
try {
  for (const row of chosen) results.push(await ran(row))
} finally {
  issuer.stop()
  await consumer.remove()
}

const failed = results.filter(({ error }) => error)
console.log(`\n${['row', 'version', 'result', 'seconds'].join('\t')}`)
for (const { name, version, error, seconds } of results)
  console.log([name, version, error ? 'failed' : 'passed', seconds].join('\t'))
for (const { folder, name, error } of failed) {
  console.error(`\n${name} failed; \`make matrix ROW=${folder}\` runs it alone:`)
  console.error([error.message, error.stdout].filter(Boolean).join('\n').slice(0, LONGEST))
}
// `exit` is necessary because a step that exceeded its time limit can leave open handles.
process.exit(failed.length > 0 ? 1 : 0)

async function ran({ folder, name, tool, run }) {
  const started = performance.now()
  process.stdout.write(`matrix  ${name} … `)
  let version = '?'
  let error
  try {
    const project = await installed(folder, consumer)
    const { version: found } = JSON.parse(await readFile(`${project}/node_modules/${tool}/package.json`, 'utf8'))
    version = found
    await within(name, () => run({ project, consumer, issuer }), 2 * LIMIT_MS)
  } catch (caught) {
    error = caught
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${version} ${error ? 'FAILED' : 'passed'}, ${seconds} s`)
  return { folder, name, version, error, seconds }
}
