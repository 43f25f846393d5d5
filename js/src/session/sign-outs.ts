import type { TokenStorage } from '../../types/session.js'
import type { Host } from '../host.js'
import { isRefusal, type Issuer } from './issuer.js'
import { scheduleOf } from './schedule.js'
import type { Tabs } from './tabs.js'

/**
 * Sign-outs that the issuer has not confirmed yet. A sign-out is stored before the request is sent. The request is
 * repeated until the issuer answers.
 */
export interface SignOuts {
  /** Returns the refresh tokens of the sessions that must end. An empty text stands for the token in the cookie. */
  pending(): Promise<string[]>
  add(token: string): Promise<void>
  forget(token: string): Promise<void>
  /** Sends all pending sign-outs to the issuer now, and again later until the issuer answers. Never rejects. */
  complete(): Promise<void>
  /** Call this method when the network may be back. */
  wake(): void
  close(): void
}

export function signOutsOf(issuer: Issuer, notes: TokenStorage, prefix: string, host: Host, tabs: Tabs): SignOuts {
  const key = `${prefix}:signed-out`
  const schedule = scheduleOf(host, () => void complete())
  let flight = Promise.resolve()

  const pending = async () => {
    return ((await notes.get(key)) ?? '').split(':').slice(1)
  }
  const write = async (tokens: string[]) => {
    await (tokens.length ? notes.set(key, ':' + tokens.join(':')) : notes.delete(key))
  }
  const forget = async (token: string) => write((await pending()).filter(other => other !== token))

  /**
   * Tries each pending sign-out once. Returns `undefined` if all of them are done. Otherwise returns the minimum number
   * of milliseconds to wait before the next try.
   */
  const attempt = async () => {
    let waitMs: number | undefined
    for (const token of await pending()) {
      const answer = await issuer.revoke(token)
      // A refusal counts only if the issuer itself sent the answer. Such an answer has a member `error`. An answer
      // without this member can be from a proxy or a captive portal.
      if (answer.type === 'later' && !(answer.error && isRefusal(answer)))
        waitMs = Math.max(waitMs ?? 0, answer.retryAfterMs ?? 0)
      else await forget(token)
    }
    return waitMs
  }
  const once = async () => {
    if (!(await pending().catch(() => [])).length) return
    const waitMs = await tabs.locked(attempt).catch(() => 0)
    if (waitMs === undefined) schedule.rest()
    else schedule.retry(waitMs)
  }
  const complete = () => (flight = flight.then(once))

  return {
    pending,
    add: async token => write([...(await pending()), token]),
    forget,
    complete,
    wake() {
      flight = flight.then(() => (schedule.wake() > 0 ? undefined : once()))
    },
    close: schedule.close,
  }
}
