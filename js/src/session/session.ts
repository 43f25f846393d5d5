import type { Credentials, Session, SessionOptions, SessionState, TokenResponse } from '../../types/session.js'
import { isLive, issuerTime, type AccessToken } from './access-token.js'
import { exchange, type Exchanged } from './exchange.js'
import { guardedFetch } from './guarded-fetch.js'
import { read, written, type Message } from './messages.js'
import { partsOf } from './parts.js'
import type { Platform } from './platform.js'
import { closed, noToken } from './refusals.js'
import { scheduleOf } from './schedule.js'
import { watch } from './watch.js'

/** The state of one page, and what changes it. A closure, for its names cost a page nothing. */
export function startSession(options: SessionOptions, platform: Platform): Session {
  const { issuer, fetch = globalThis.fetch, storage = 'cookie' } = options
  const { host } = platform
  const listeners = new Set<(state: SessionState) => void>()
  let state: SessionState = 'signed-out'
  let token: AccessToken | undefined
  /** The last token of this session, also once it is revoked. */
  let last: AccessToken | undefined
  /** The last token of any: the issuer's time. */
  let stamp: AccessToken | undefined
  /** Sessions that ended here: no tab's late news brings them back. */
  const ended = new Set<string>()
  let era = 0
  let flight: Promise<void> | undefined
  let logins: Promise<unknown> = Promise.resolve()
  let isClosed = false

  const live = () => (token && isLive(token, host) ? token : undefined)
  const mustBeOpen = () => {
    if (isClosed) throw closed()
  }

  const become = (next: SessionState) => {
    if (state === next || isClosed) return
    state = next
    for (const listener of [...listeners]) {
      // What a listener throws is its application's to see, and what it waits for nobody here does (field: supabase-js#2013).
      queueMicrotask(() => listener(next))
    }
  }

  const share = () => {
    const shared = live()
    if (shared) tabs.tell(written(shared, host))
  }

  const hold = (next: AccessToken) => {
    const wasRevoked = last && !token
    token = last = stamp = next
    schedule.succeeded()
    schedule.plan(next)
    become('active')
    // Once: an issuer that goes on giving what its own list revokes is not asked in a circle.
    if (!wasRevoked) watching.check()
  }

  /** What was begun in another era says nothing about the next: each login, here or in another tab, and each end begins one. */
  const turn = () => {
    era++
    flight = undefined
    if (last) ended.add(last.claims.sid)
  }

  const end = (next: 'signed-out' | 'kicked') => {
    turn()
    token = last = undefined
    schedule.succeeded()
    become(next)
  }

  /** Asks for another token, unless nobody is signed in. Never rejects. */
  const renew = async () => {
    if (state === 'active' || state === 'offline') await refresh()
  }

  /** At most once at a time, and not while the issuer is to be left alone. */
  const refresh = async () => {
    if (isClosed) return
    if (!flight && schedule.rests()) return schedule.plan(token)
    const mine = (flight ??= renewed().finally(() => {
      if (flight === mine) flight = undefined
    }))
    return mine
  }

  const renewed = async () => {
    const [before, begun] = [token, era]
    const isCurrent = () => era === begun
    const isWanted = () => isCurrent() && (token === before || !live())
    /** Within the lock, so that the others have heard of it when one of them gets that. */
    const settle = (exchanged: Exchanged) => {
      if (!isCurrent()) return
      switch (exchanged.outcome) {
        case 'granted':
          hold(exchanged.token)
          return share()
        case 'over':
          tabs.tell({ type: 'ended', sid: last?.claims.sid, kicked: true })
          return end(last ? 'kicked' : 'signed-out')
        case 'gone':
          return end('signed-out')
        case 'later':
          schedule.failed(exchanged.retryAfterMs)
          become('offline')
      }
      schedule.plan(token)
    }
    await tabs
      .locked(async () => settle(await exchange(parts.issuer, delivery, host, { isCurrent, isWanted })))
      // A storage that fails or hangs is no news of the session.
      .catch(() => settle({ outcome: 'later', retryAfterMs: 0 }))
  }

  const isNews = ({ value, claims }: AccessToken) =>
    !ended.has(claims.sid) && (!last || (claims.iat >= last.claims.iat && value !== last.value))

  const hear = (message: Message) => {
    switch (message.type) {
      case 'hello':
        return share()
      case 'token': {
        const heard = read(message, host)
        if (!heard || !isLive(heard, host) || !isNews(heard)) return
        if (last && last.claims.sid !== heard.claims.sid) turn()
        return hold(heard)
      }
      case 'ended':
        if (last && message.sid === last.claims.sid) end(message.kicked ? 'kicked' : 'signed-out')
        return
      case 'revoked':
        if (token?.claims.sid === message.sid && token.claims.iat <= message.iat) drop()
    }
  }

  /** Serves the token no longer; why it was revoked is what `/token` answers now. */
  const drop = () => {
    token = undefined
    void renew()
  }

  const login = async (how: Credentials | TokenResponse) => {
    await ready
    await flight // whose cookie must not come after this one's
    mustBeOpen()
    const begun = era
    const granted = await parts.logIn(how, () => era === begun)
    void signOuts.complete()
    if (!granted) throw noToken(state)
    turn()
    hold(granted)
    share()
  }

  const getAccessToken = async () => {
    mustBeOpen()
    await ready
    const held = live()
    if (!held) await renew()
    else if (schedule.dueIn(held) <= 0) void renew()
    mustBeOpen()
    const served = live()
    if (!served) throw noToken(state)
    return served.value
  }

  const instead = async (of: string) => {
    if (live()?.value === of) await renew()
    return live()?.value
  }

  const begin = async () => {
    tabs.tell({ type: 'hello' })
    void signOuts.complete()
    const begun = era
    const kept = await delivery.read().catch(() => '')
    if (kept !== undefined && era === begun && !token) await refresh()
    return state
  }

  const parts = partsOf({ ...options, storage }, platform, hear)
  const { tabs, delivery, signOuts } = parts
  const schedule = scheduleOf(host, () => void renew())
  const watching = watch(
    options.verifier,
    tabs,
    host,
    () => token,
    ({ claims }) => {
      tabs.tell({ type: 'revoked', sid: claims.sid, iat: claims.iat })
      drop()
    },
  )
  const origins = options.origins ?? [new URL(issuer).origin, platform.origin]
  const stopWaking = platform.onWake(() => {
    signOuts.wake()
    if (state === 'offline' || schedule.dueIn(token) <= 0) void renew()
  })
  const ready = begin()

  return {
    get state() {
      return state
    },
    ready,
    getAccessToken,
    fetch: guardedFetch({ getAccessToken, instead }, origins, fetch),
    login(how) {
      const mine = logins.then(() => login(how))
      logins = mine.catch(() => {})
      return mine
    },
    async logout() {
      mustBeOpen()
      tabs.tell({ type: 'ended', sid: last?.claims.sid, kicked: false })
      end('signed-out')
      const kept = await delivery.read()
      await delivery.remove()
      if (kept !== undefined) await signOuts.add(kept)
      await signOuts.complete()
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    currentDate: () => (stamp ? issuerTime(stamp, host) : new Date(host.now())),
    close() {
      isClosed = true
      era++
      listeners.clear()
      schedule.close()
      stopWaking()
      watching.close()
      signOuts.close()
      tabs.close()
    },
  }
}
