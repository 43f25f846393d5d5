import { inTime } from '../host.js'
import type { Message } from './messages.js'
import type { Platform } from './platform.js'

/**
 * Milliseconds to wait for a lock. After this time the work runs without the lock. This is acceptable, because the
 * issuer's grace window allows two tabs to refresh at the same time.
 */
const WAIT_MS = 5_000
/**
 * The maximum number of milliseconds for which a lock is held. After this time the lock is released, even if a storage
 * has not answered yet.
 */
const HOLD_MS = 25_000
/**
 * The connection to the other tabs: a lock, a channel and a leader. If the session belongs to this tab only, no other
 * tab is contacted.
 */
export interface Tabs {
  tell(message: Message): void
  /**
   * Runs the work under the lock, so that no other tab runs such work at the same time. If the tab does not get the
   * lock within a time limit, the work runs without the lock (seen in the field: supabase/supabase-js#1594).
   */
  locked<T>(work: () => Promise<T>): Promise<T>
  /**
   * Calls `start` when this tab becomes the leader. A tab becomes the leader in three cases: it gets the lock; the
   * browser has no locks; or the tab that holds the lock is frozen and sends no messages. In the third case each tab
   * waits for a random time. So one tab becomes the leader first, and its messages tell the other tabs that there is a
   * leader.
   */
  lead(start: () => unknown): void
  close(): void
}

export function tabsOf(platform: Platform, name: string, isShared: boolean, hear: (message: Message) => void): Tabs {
  const { host } = platform
  const locks = isShared ? platform.locks : undefined
  const channel = isShared ? platform.channel(name) : undefined
  const closing = new AbortController()
  let silent = 0
  let leads = false
  let stop = () => {}
  if (channel)
    channel.onmessage = ({ data }) => {
      // While the leader runs, it repeats the message `lead`. A tab with an older version of the page ignores this
      // message.
      if (data === 'lead') silent = 0
      else hear(data as Message)
    }

  /** Runs the work under this lock, or without the lock if the tab cannot get it. */
  const having = async <T>(lock: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    let isHeld = false
    try {
      return await locks!.request(lock, { signal }, () => {
        isHeld = true
        return work()
      })
    } catch (error) {
      if (isHeld) throw error
      return work()
    }
  }

  return {
    tell: message => channel?.postMessage(message),
    locked(work) {
      const waiting = new AbortController()
      const cancel = host.after(WAIT_MS, () => waiting.abort())
      return having(name, waiting.signal, () => {
        cancel()
        return inTime(work(), HOLD_MS, host)
      })
    },
    lead(start) {
      const { signal } = closing
      const begin = () => {
        if (!leads) start()
        leads = true
      }
      const beat = () => {
        // The leader has sent no message during at least three pauses. Three pauses are longer than one minute. A
        // browser delays the timers of a hidden tab by at most one minute.
        if (++silent > 3) begin()
        if (leads) channel?.postMessage('lead')
        stop = host.after(HOLD_MS * (1 + host.random()), beat)
      }
      beat()
      having(`${name}:lead`, signal, () => {
        begin()
        return new Promise(resolve => (signal.onabort = resolve))
      }).catch(() => {}) // the lock was taken away
    },
    close() {
      closing.abort()
      stop()
      channel?.close()
    },
  }
}
