import { inTime } from './in-time.js'
import type { Message } from './messages.js'
import type { Platform } from './platform.js'

/** Milliseconds to wait for a lock; then without: the issuer's grace window forgives what two tabs do at once. */
const WAIT_MS = 5_000
/** Milliseconds to hold one, whatever a storage does meanwhile. */
const HOLD_MS = 25_000
/** The other tabs: one lock, one channel, one leader. Alone where the session is of this tab only. */
export interface Tabs {
  tell(message: Message): void
  /** Runs this while no other tab does, or after a while all the same (field: supabase/supabase-js#1594). */
  locked<T>(work: () => Promise<T>): Promise<T>
  /**
   * Calls once this tab leads: when it has the lock, at once where that cannot be settled, or when the tab that has the lock is frozen and says
   * nothing any more. Each tab pauses by chance, so that one of them leads then and says so to the others.
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
      // What the leading tab says while it runs; an older version of the page takes it for nothing.
      if (data === 'lead') silent = 0
      else hear(data as Message)
    }

  /** With this lock, or without where there is none to be had. */
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
        // More than the minute for which a browser may hold back the timers of a hidden tab.
        if (++silent > 3) begin()
        if (leads) channel?.postMessage('lead')
        stop = host.after(HOLD_MS * (1 + host.random()), beat)
      }
      beat()
      having(`${name}:lead`, signal, () => {
        begin()
        return new Promise(resolve => (signal.onabort = resolve))
      }).catch(() => {}) // taken away
    },
    close() {
      closing.abort()
      stop()
      channel?.close()
    },
  }
}
