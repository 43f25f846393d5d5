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
  /** Calls once this tab is the one of all that leads, or at once where that cannot be settled. */
  lead(start: () => void): void
  close(): void
}

export function tabsOf(platform: Platform, name: string, isShared: boolean, hear: (message: Message) => void): Tabs {
  const { host } = platform
  const locks = isShared ? platform.locks : undefined
  const channel = isShared ? platform.channel(name) : undefined
  const closing = new AbortController()
  if (channel) channel.onmessage = ({ data }) => hear(data as Message)

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
      const led = having(`${name}:lead`, signal, () => {
        start()
        return new Promise<void>(resolve => (signal.onabort = () => resolve()))
      })
      led.catch(() => {}) // taken away
    },
    close() {
      closing.abort()
      channel?.close()
    },
  }
}
