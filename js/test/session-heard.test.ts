// The functions with which a tab judges the messages of other tabs. The tests call these functions directly, without
// any tabs.
import assert from 'node:assert/strict'
import test from 'node:test'
import { moment, type AccessToken } from '../src/session/access-token.js'
import { isEnd, isNews, wasHeldAt } from '../src/session/heard.js'
import { FakeHost } from './fakes.js'

/** An access token that was requested now and is valid for ten seconds. */
const tokenOf = (host: FakeHost, value: string, sid = 'first'): AccessToken => ({
  value,
  claims: { sid, iat: 0 },
  lifetimeMs: 10_000,
  since: moment(host),
  dueMs: 8_000,
})
const NONE = new Set<string>()

test('a token of another tab is used if it is live, of a session that has not ended here, and not older', () => {
  const host = new FakeHost()
  const early = tokenOf(host, 'early')
  host.elapse(1)
  const late = tokenOf(host, 'late')
  const isUsed = (heard: AccessToken, last: AccessToken | undefined, ended = NONE) =>
    isNews(heard, last, ended, last?.since, host)
  assert.ok(isUsed(late, undefined))
  assert.ok(isUsed(late, early))
  assert.ok(!isUsed(late, late))
  assert.ok(!isUsed(early, late))
  assert.ok(isUsed({ ...early, since: late.since }, late), 'requested at the same time')
  assert.ok(isUsed(late, early, new Set(['other'])))
  assert.ok(!isUsed(late, early, new Set(['first'])))
  host.elapse(9_899)
  assert.ok(isUsed(late, undefined))
  host.elapse(1)
  assert.ok(!isUsed(late, undefined), 'in the last hundredth of its lifetime')
})

test('after a sign-out without a token, only a token that was requested later is used', () => {
  const host = new FakeHost()
  const before = tokenOf(host, 'before')
  host.elapse(1)
  const signOut = moment(host)
  host.elapse(1)
  const after = tokenOf(host, 'after')
  assert.ok(!isNews(before, undefined, NONE, signOut, host))
  assert.ok(isNews(after, undefined, NONE, signOut, host))
})

test('a message concerns a token that was held at its time, even if the wall clock was set back since', () => {
  const host = new FakeHost()
  const before = host.now()
  host.elapse(1)
  const token = tokenOf(host, 'token')
  const after = host.now()
  assert.ok(!wasHeldAt(before, token, host))
  assert.ok(wasHeldAt(after, token, host))
  host.set(-5_000)
  assert.ok(wasHeldAt(host.now(), token, host))
})

test('an end concerns its session, or without a name the session of its time', () => {
  const host = new FakeHost()
  const before = host.now()
  host.elapse(1)
  const token = tokenOf(host, 'token')
  const ends = (sid: string | undefined, wall: number) =>
    isEnd({ type: 'ended', sid, wall, kicked: false }, token, undefined, host)
  assert.ok(ends('first', before))
  assert.ok(!ends('other', host.now()))
  assert.ok(ends(undefined, host.now()))
  assert.ok(!ends(undefined, before))
})

test('a page whose refresh token is gone learns from a late message that its session was kicked', () => {
  const host = new FakeHost()
  const learns = (sid: string | undefined, kicked: boolean) =>
    isEnd({ type: 'ended', sid, wall: host.now(), kicked }, undefined, 'gone', host)
  assert.ok(learns('gone', true))
  assert.ok(!learns('gone', false))
  assert.ok(!learns('other', true))
  assert.ok(!learns(undefined, true))
})
