import type { TokenStorage } from '../../types/session.js'
import type { Host } from '../host.js'
import { isRefusal, type Issuer } from './issuer.js'
import { scheduleOf } from './schedule.js'
import type { Tabs } from './tabs.js'

/** Sign-outs of which the issuer does not know yet: noted before it is asked, and asked again until it answers. */
export interface SignOuts {
  /** Refresh tokens whose sessions are to end; an empty one is the cookie's. */
  pending(): Promise<string[]>
  add(token: string): Promise<void>
  forget(token: string): Promise<void>
  /** One try each, to be made under the lock. Milliseconds to wait at least when one has to be tried again. */
  attempt(): Promise<number | undefined>
  /** Tells the issuer, now and until it knows. Never rejects. */
  complete(): Promise<void>
  /** The network may be back. */
  wake(): void
  close(): void
}

export function signOutsOf(issuer: Issuer, notes: TokenStorage, prefix: string, host: Host, tabs: Tabs): SignOuts {
  const key = `${prefix}:signed-out`
  const schedule = scheduleOf(host, () => void complete())
  let flight: Promise<void> | undefined

  const pending = async () => {
    const text = await notes.get(key)
    return text ? text.split(' ').map(token => token.slice(1)) : []
  }
  const write = async (tokens: string[]) => {
    await (tokens.length === 0 ? notes.delete(key) : notes.set(key, tokens.map(token => `:${token}`).join(' ')))
  }
  const forget = async (token: string) => write((await pending()).filter(other => other !== token))

  const attempt = async () => {
    let waitMs: number | undefined
    for (const token of await pending()) {
      const answer = await issuer.revoke(token)
      if (answer.outcome === 'later' && !isRefusal(answer)) waitMs = Math.max(waitMs ?? 0, answer.retryAfterMs)
      else await forget(token)
    }
    return waitMs
  }
  const once = async () => {
    if ((await pending().catch(() => [])).length === 0) return
    const waitMs = await tabs.locked(attempt).catch(() => 0)
    if (waitMs === undefined) return schedule.succeeded()
    schedule.failed(waitMs)
    schedule.plan()
  }
  const complete = () => (flight ??= once().finally(() => (flight = undefined)))

  return {
    pending,
    add: async token => write([...new Set([...(await pending()), token])]),
    forget,
    attempt,
    complete,
    wake() {
      if (!schedule.rests()) void complete()
    },
    close: schedule.close,
  }
}
