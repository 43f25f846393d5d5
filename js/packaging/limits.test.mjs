// The time limits of `make matrix`.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import process from 'node:process'
import { test } from 'node:test'
import { ran, within } from './matrix/limits.mjs'

const inNode = (source, limit) => ran(process.execPath, ['--eval', source], process.cwd(), {}, limit)

test(
  'a program that hangs is ended together with its children, and the error names it',
  { timeout: 60_000 },
  async () => {
    const server = createServer().listen(0, '127.0.0.1')
    const connected = once(server, 'connection')
    await once(server, 'listening')
    // A child process that inherits the pipes of its parent, and continues to run when the parent ends.
    const started = `require('net').connect(${server.address().port}, '127.0.0.1'); setInterval(() => {}, 1000)`
    const start = `require('child_process').spawn(process.execPath, ['--eval', ${JSON.stringify(started)}], { stdio: 'inherit' })`
    const hangs = inNode(`${start}; console.error('building'); setInterval(() => {}, 1000)`, 5000)
    const [[socket]] = await Promise.all([
      connected,
      assert.rejects(hangs, /^Error: `node --eval .*`: not done within 5 s\nbuilding/s),
    ])
    if (!socket.closed)
      await once(
        socket.resume().on('error', () => {}),
        'close',
      )
    server.close()
  },
)

test('a program that asks for input fails, because its input is empty', { timeout: 60_000 }, async () => {
  const asks = "process.stdin.on('end', () => process.exit(3)).resume()"
  await assert.rejects(inNode(asks), /ended with 3/)
})

test('colours are removed from the output of a program', async () => {
  assert.equal(await inNode("process.stdout.write('\\u001b[32mListening\\u001b[39m')"), 'Listening')
})

test('a step that takes too long is aborted, and the error names it', async () => {
  let told
  const never = signal => new Promise(() => (told = signal))
  await assert.rejects(within('the page', never, 10), /^Error: the page: not done within 0.01 s$/)
  assert.equal(told.aborted, true)
})
