// The demo on a machine where programs that the demo uses are missing or broken.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startVerifiers } from '../../js/demo/verifiers/index.mjs'
import { BINARY, issuerOf } from './support.mjs'

const CLONE = fileURLToPath(new URL('../..', import.meta.url))
const STORY = { timeout: 120_000 }

test('A1: with every optional program hidden the demo completes', STORY, async story => {
  const { code, stdout, stderr } = await run('tests/setup/hidden.sh', ['make', '-o', 'build', 'demo', 'ONCE=1'])
  assert.equal(code, 0, stdout + stderr)
  assert.equal(stderr, '')
  const [namespace] = stdout.match(/^No mount namespace here.*$/m) ?? []
  if (namespace) story.diagnostic(namespace)
  else assert.match(stdout, /^ {2}The edge worker \(workerd\) is left out: .*$/m)
  assert.match(stdout, /^ {2}The browser \(Chromium\) is left out: no Chromium: `apt-get install chromium`.*$/m)
  assert.match(stdout, /Node\.js \(poll\) still refuses Alice: ERR_JWT_REVOKED/)
  assert.match(stdout, /\n {2}Next: .*\n$/)
})

test('A1: a browser that does not start is skipped with one line in the demo, and fails a test', STORY, async story => {
  const issuer = await issuerOf(story)
  const said = story.mock.method(console, 'log', () => {})
  const { CHROMIUM } = process.env
  process.env.CHROMIUM = '/bin/false'
  story.after(() => (CHROMIUM === undefined ? delete process.env.CHROMIUM : (process.env.CHROMIUM = CHROMIUM)))
  const start = async all => {
    const names = []
    for await (const verifier of startVerifiers(issuer.url, all)) {
      story.after(() => verifier.close())
      names.push(verifier.name)
    }
    return names
  }
  assert.deepEqual(await start(false), ['Node.js', 'Node.js', 'workerd'])
  const lines = said.mock.calls.map(({ arguments: [line] }) => line)
  assert.equal(lines.length, 1)
  assert.match(lines[0], /^ {2}The browser \(Chromium\) is left out: [^\n]+$/)
  await assert.rejects(start(true), /browserType\.launch/)
})

test('A2: a step without output reports that it is still running', { timeout: 60_000 }, async () => {
  const step = spawn('node', ['tests/setup/progress.mjs', 'none', 'waiting', 'Wait.', 'sleep', '600'], { cwd: CLONE })
  const [line] = await once(createInterface({ input: step.stdout }), 'line')
  assert.match(line, /^doorlist {2}still waiting: \d+ s$/)
  step.kill()
  assert.deepEqual(await once(step, 'close'), [143, null])
})

test('A2: a step that fails shows the cause and the next step', { timeout: 60_000 }, async () => {
  const script = 'echo "   Compiling one v1.0.0"; echo "warning: two" >&2; exit 101'
  const args = ['tests/setup/progress.mjs', 'packages', 'building', 'Do it again.', 'sh', '-c', script]
  const { code, stdout, stderr } = await run('node', args)
  assert.deepEqual([code, stdout], [101, ''])
  assert.deepEqual(stderr.split('\n').sort(), [
    '',
    '   Compiling one v1.0.0',
    'doorlist  failed: building (exit code 101). Do it again.',
    'warning: two',
  ])
})

/** Runs a program of this clone, and waits until it ends. */
async function run(program, args) {
  const child = spawn(program, args, { cwd: CLONE, env: { ...process.env, DOORLIST_BINARY: BINARY } })
  const [stdout, stderr] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()])
  if (child.exitCode === null) await once(child, 'close')
  return { code: child.exitCode, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
}
