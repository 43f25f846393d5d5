import { inTime } from './in-time.js'
import type { Message } from './messages.js'
import type { Platform } from './platform.js'

/**
 * Milliseconds to wait for a lock. After that, work continues without the lock: the issuer's grace window tolerates two
 * tabs that refresh at once.
 */
const WAIT_MS = 5_000
/** Milliseconds to hold a lock, even if a storage is still busy. */
const HOLD_MS = 25_000
/**
 * The other tabs: one lock, one channel, one leader. If the session belongs to this tab only, there are no other tabs.
 */
export interface Tabs {
  tell(message: Message): void
  /**
   * Runs the work while no other tab runs any. After a time limit, runs the work even without the lock (field:
   * supabase/supabase-js#1594).
   */
  locked<T>(work: () => Promise<T>): Promise<T>
  /**
   * Calls `start` when this tab becomes the leader: when it gets the lock; at once if there are no locks; or when the
   * tab with the lock is frozen and sends nothing any more. In the last case each tab has waited for a random time, so
   * that one tab leads first and informs the others.
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
      // The leading tab sends this message again and again while it runs. A tab with an older version of the page
      // ignores the message.
      if (data === 'lead') silent = 0
      else hear(data as Message)
    }

  /** Runs the work with this lock, or without a lock if locks are not available. */
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
        // At least three pauses have passed without a message from the leader. Together they are longer than the minute
        // for which a browser may delay the timers of a hidden tab.
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
