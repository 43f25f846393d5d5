import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import test from 'node:test'
import vm from 'node:vm'
import { Worker } from 'node:worker_threads'
import { TokenError, codes, isTokenError } from '../src/errors.js'
import { SessionError, isSessionError } from '../src/session/index.js'

const token = () =>
  new TokenError('ERR_JWT_REVOKED', 'revoked', { by: 'gid', asOf: 7 }, { cause: new Error('the list') })
const session = () => new SessionError('ERR_SESSION_OFFLINE', 'offline', { status: 503 }, { cause: new Error('why') })
const plain = { name: 'TokenError', code: 'ERR_JWT_REVOKED', message: 'revoked', evidence: { by: 'gid', asOf: 7 } }
const plainSession = {
  name: 'SessionError',
  code: 'ERR_SESSION_OFFLINE',
  message: 'offline',
  evidence: { status: 503 },
}

/** Sends a value to a worker with a real `postMessage`. Returns the value that the worker sends back. */
async function crossed(value: unknown): Promise<unknown> {
  const echo =
    "const { parentPort } = require('worker_threads'); parentPort.on('message', it => parentPort.postMessage(it))"
  const worker = new Worker(echo, { eval: true })
  try {
    worker.postMessage(value)
    return await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  } finally {
    await worker.terminate()
  }
}

test('C10: errors cross postMessage and JSON in their plain form, and `from` makes them errors again', async () => {
  assert.deepEqual(token().toJSON(), plain)
  assert.deepEqual(session().toJSON(), plainSession)
  for (const cross of [crossed, structuredClone, (value: unknown) => JSON.parse(JSON.stringify(value))]) {
    const there = await cross(token().toJSON())
    assert.deepEqual(there, plain)
    assert.ok(isTokenError(there) && isTokenError(there, 'ERR_JWT_REVOKED') && !isTokenError(there, 'ERR_JWT_EXPIRED'))
    assert.ok(!isSessionError(there))
    const again = TokenError.from(there)
    assert.ok(again instanceof TokenError && again.stack !== undefined)
    assert.deepEqual(again.toJSON(), plain)

    const of = await cross(session().toJSON())
    assert.ok(isSessionError(of, 'ERR_SESSION_OFFLINE') && !isSessionError(of, 'ERR_SESSION_KICKED'))
    assert.ok(!isTokenError(of))
    assert.deepEqual(SessionError.from(of).toJSON(), plainSession)
  }
  // JSON converts an error to its plain form automatically. `postMessage` does not, so the program must call `toJSON`.
  assert.ok(isTokenError(JSON.parse(JSON.stringify({ error: token() })).error))
  assert.ok(!isTokenError(structuredClone(token())))
})

test('C10: an error of another copy or realm is recognized, and keeps its cause', () => {
  const require = createRequire(import.meta.url)
  const cjs = require('../dist/slim.cjs') as typeof import('../src/entrypoints/slim.js')
  const dist = (name: string) => readFileSync(new URL(`../dist/${name}.cjs`, import.meta.url), 'utf8')
  const inRealm = (name: string) => {
    const module = { exports: {} as Record<string, any> }
    vm.runInNewContext(`(function (module, exports) { ${dist(name)} })`)(module, module.exports)
    return module.exports
  }
  const foreign = inRealm('slim')
  const foreignSession = inRealm('session')
  for (const copy of [cjs, foreign]) {
    const error = new copy['TokenError']('ERR_LIST_STALE', 'stale', { age: 9 }, { cause: 'why' })
    assert.ok(!(error instanceof TokenError) && isTokenError(error, 'ERR_LIST_STALE'))
    const ours = TokenError.from(error)
    assert.ok(ours instanceof TokenError && ours.cause === 'why')
    assert.deepEqual(ours.toJSON(), {
      name: 'TokenError',
      code: 'ERR_LIST_STALE',
      message: 'stale',
      evidence: { age: 9 },
    })
    assert.ok(copy['isTokenError'](token()) && copy['isTokenError'](plain))
  }
  assert.ok(!(new foreign['TokenError']('ERR_LIST_STALE', '') instanceof Error))
  const error = new foreignSession['SessionError']('ERR_SESSION_KICKED', 'kicked', {}, { cause: 'why' })
  assert.ok(isSessionError(error, 'ERR_SESSION_KICKED'))
  assert.equal(SessionError.from(error).cause, 'why')
  assert.ok(foreignSession['isSessionError'](session()))
  const same = token()
  assert.equal(TokenError.from(same), same)
})

test('C10: no other value is accepted as an error', () => {
  const hostile: unknown[] = [
    undefined,
    null,
    7,
    'TokenError',
    () => {},
    [],
    new Error('no code'),
    { ...plain, code: 'ERR_MADE_UP' },
    { ...plain, code: 'toString' },
    { ...plain, code: '__proto__' },
    { ...plain, code: ['ERR_JWT_REVOKED'] },
    { ...plain, code: undefined },
    { ...plain, name: 'Error' },
    { ...plain, name: ['TokenError'] },
    { ...plain, message: { toString: () => 'revoked' } },
    { ...plain, evidence: null },
    { ...plain, evidence: 'none' },
    Object.create(plain),
    Object.defineProperty({ ...plain }, 'code', { get: () => 'ERR_JWT_REVOKED' }),
    new Proxy(plain, {
      getOwnPropertyDescriptor() {
        throw new Error('a trap')
      },
    }),
  ]
  for (const value of hostile) {
    assert.equal(isTokenError(value), false)
    assert.throws(() => TokenError.from(value), { code: 'ERR_OPTIONS_INVALID' })
    assert.equal(isSessionError(value), false)
    assert.throws(() => SessionError.from(value), { code: 'ERR_OPTIONS_INVALID' })
  }
  for (const code of ['ERR_MADE_UP', 'ERR_JWT_REVOKED', 'toString', ['ERR_SESSION_OFFLINE'], undefined])
    assert.equal(isSessionError({ ...plainSession, code }), false)
  Object.assign(Object.prototype, plain)
  try {
    assert.equal(isTokenError({}), false)
  } finally {
    for (const name of Object.keys(plain)) delete (Object.prototype as Record<string, unknown>)[name]
  }
})

test('C10: every code has its plain form', () => {
  for (const code of Object.values(codes)) assert.ok(isTokenError(new TokenError(code, '').toJSON(), code))
})
