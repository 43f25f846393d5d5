import type { Credentials, Session, SessionOptions, SessionState, TokenResponse } from '../../types/session.js'
import { isLive, issuerTime, moment, type AccessToken, type Moment } from './access-token.js'
import { SessionError } from './errors.js'
import { exchange, type Exchanged } from './exchange.js'
import { guardedFetch } from './guarded-fetch.js'
import type { Later } from './issuer.js'
import { isEnd, isNews, wasHeldAt } from './heard.js'
import { read, written, type Message } from './messages.js'
import { partsOf } from './parts.js'
import type { Platform } from './platform.js'
import { isMistake } from '../mistakes.js'
import { noToken, storageFailed } from './refusals.js'
import { scheduleOf } from './schedule.js'
import { watch } from './watch.js'

/**
 * The state of one page, and its transitions. This is a closure and not a class, because minifiers shorten the names in
 * a closure.
 */
export function startSession(options: SessionOptions, platform: Platform): Session {
  const { issuer, fetch = globalThis.fetch, storage = 'cookie' } = options
  const { host } = platform
  const listeners = new Set<(state: SessionState) => void>()
  let state: SessionState = 'signed-out'
  let token: AccessToken | undefined
  /** The last token of this session. The token is kept here even after it is revoked. */
  let last: AccessToken | undefined
  /** The last token of any session. The issuer's time is computed from this token. */
  let stamp: AccessToken | undefined
  /** Sessions that ended here; a late message of another tab must not bring them back. */
  const ended = new Set<string>()
  /**
   * The session whose refresh token was missing. Another tab removed the token, and the message of that tab with the
   * reason may arrive late.
   */
  let gone: string | undefined
  /**
   * The time when the last token was requested, or when the user signed out while no token was known. A message with an
   * older token is ignored.
   */
  let latest: Moment | undefined
  let era = 0
  let signOutsHere = 0
  let flight: Promise<void> | undefined
  /** The reason why the last refresh failed. */
  let failure: Later | undefined
  let logins: Promise<unknown> = Promise.resolve()
  let isClosed = false

  const live = () => (token && isLive(token, host) ? token : undefined)
  const mustBeOpen = () => {
    if (isClosed) throw new SessionError('ERR_SESSION_CLOSED', 'session closed')
  }

  const become = (next: SessionState) => {
    if (state === next) return
    state = next
    for (const listener of listeners) {
      // An error in a listener must reach the application, and nothing here waits for a listener (seen in the field:
      // supabase/supabase-js#2013).
      queueMicrotask(() => listeners.has(listener) && listener(next))
    }
  }

  const share = () => {
    if (live()) tabs.tell(written(token!, host))
  }

  const tellEnd = (kicked: boolean) => tabs.tell({ type: 'ended', sid: last?.claims.sid, wall: host.now(), kicked })

  const hold = (next: AccessToken) => {
    if (last && last.claims.sid !== next.claims.sid) turn()
    const wasRevoked = last && !token
    token = last = stamp = next
    latest = next.since
    schedule.plan(next)
    become('active')
    // A token that replaces a revoked token is not checked with the list. An issuer may keep issuing tokens that are on
    // its own list. With a check, this page would then ask the issuer in a loop.
    if (!wasRevoked) watching.check()
  }

  /** Begins a new era of the session. Answers to requests of an earlier era are ignored. */
  const newEra = () => {
    era++
    flight = token = undefined
  }

  /** Called when a session begins, here or in another tab, and when a session ends. */
  const turn = () => {
    newEra()
    if (last) ended.add(last.claims.sid)
    last = undefined
  }

  const end = (next: 'signed-out' | 'kicked') => {
    turn()
    schedule.rest()
    become(next)
  }

  /** Requests another token, unless the user is not signed in, or the issuer must not be asked yet. Never rejects. */
  const renew = async () => {
    const mayBe = !isClosed && (state === 'active' || state === 'offline')
    if (mayBe && schedule.dueIn() <= 0) await refresh()
  }

  /** Runs at most one refresh at a time. A call during a refresh waits for that refresh. */
  const refresh = async () => {
    const mine = (flight ??= renewed().finally(() => {
      if (flight === mine) flight = undefined
    }))
    return mine
  }

  const renewed = async () => {
    const before = token
    const begun = era
    const isCurrent = () => era === begun
    /** Whether the result is still needed: no new era has begun, and no other tab has obtained a token meanwhile. */
    const isWanted = () => isCurrent() && (token === before || !live())
    /**
     * Uses the result of an exchange. Runs within the lock, so that the other tabs learn of the result before another
     * tab gets the lock.
     */
    const settle = (exchanged: Exchanged) => {
      if (!exchanged || !isCurrent()) return
      switch (exchanged.type) {
        case 'granted':
          hold(exchanged.token)
          return share()
        case 'over':
        case 'gone':
          // A page that does not know a session yet does not report an end, because another tab may be opening a
          // session.
          if (last && exchanged.type === 'over') {
            tellEnd(true)
            return end('kicked')
          }
          gone = last?.claims.sid
          return end('signed-out')
        case 'later':
          failure = exchanged
          schedule.retry(exchanged.retryAfterMs)
          become('offline')
      }
    }
    await tabs
      .locked(async () => settle(await exchange(parts, host, isCurrent, isWanted, () => stamp)))
      // A storage that fails or hangs does not show whether the session has ended.
      .catch(cause => settle({ type: 'later', cause: isMistake(cause) ? cause : storageFailed(cause) }))
  }

  const hear = (message: Message) => {
    switch (message.type) {
      case 'hello':
        return share()
      case 'token': {
        const heard = read(message, host)
        if (heard && isNews(heard, last, ended, latest, host)) hold(heard)
        return
      }
      case 'ended':
        if (isEnd(message, last, gone, host)) end(message.kicked ? 'kicked' : 'signed-out')
        return
      case 'revoked':
        if (token?.claims.sid === message.sid && wasHeldAt(message.wall, token, host)) drop()
    }
  }

  /** Stops using the token. The next answer of `/token` shows why the token was revoked. */
  const drop = () => {
    newEra()
    void renew()
  }

  const login = async (how: Credentials | TokenResponse, begun: number) => {
    const isCurrent = () => signOutsHere === begun
    await ready
    await flight // the cookie of a refresh must not arrive after the cookie of this login
    mustBeOpen()
    const granted = await parts.logIn(how, () => last?.claims.sid, isCurrent)
    void signOuts.complete()
    mustBeOpen()
    if (!isCurrent()) throw noToken('signed-out')
    newEra()
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
    if (!live()) throw noToken(state, failure)
    return token!.value
  }

  const instead = async (of: string) => {
    if ((live()?.value ?? of) === of) await renew()
    return live()?.value
  }

  const parts = partsOf({ ...options, fetch, storage }, platform, hear)
  const { tabs, delivery, signOuts } = parts
  const schedule = scheduleOf(host, renew)
  const watching = watch(
    options.verifier,
    tabs,
    host,
    () => token,
    () => {
      tabs.tell({ type: 'revoked', sid: token!.claims.sid, wall: host.now() })
      drop()
    },
  )
  const origins = options.origins ?? [new URL(issuer).origin, platform.origin]
  const stopWaking = platform.onWake(isRestored => {
    signOuts.wake()
    if (schedule.wake(token) <= 0 || isRestored) void renew()
  })
  tabs.tell({ type: 'hello' })
  void signOuts.complete()
  const ready = refresh().then(() => state)

  return {
    get state() {
      return state
    },
    ready,
    getAccessToken,
    fetch: guardedFetch(getAccessToken, instead, origins, fetch, host),
    login(how) {
      const begun = signOutsHere
      const mine = logins.then(() => login(how, begun))
      logins = mine.catch(() => {})
      return mine
    },
    async logout() {
      mustBeOpen()
      signOutsHere++
      if (!last) latest = moment(host)
      tellEnd(false)
      end('signed-out')
      const kept = await delivery.read()
      if (kept !== undefined) await signOuts.add(kept).catch(() => parts.issuer.revoke(kept))
      await delivery.remove()
      await signOuts.complete()
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    currentDate: () => new Date(stamp ? issuerTime(stamp, host) : host.now()),
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
