/** The clocks, timers and random numbers of the platform. No other code reads them directly. */
export interface Host {
  /** Wall clock, milliseconds since 1970. */
  now(): number
  /** Milliseconds since an unspecified time. The value never decreases. */
  monotonic(): number
  /** A random number that is at least 0 and less than 1. */
  random(): number
  /** Calls `call` once after `ms` milliseconds. Returns a function that cancels the call. */
  after(ms: number, call: () => void): () => void
}

export const host: Host = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  random: () => Math.random(),
  after(ms, call) {
    const timer = setTimeout(call, ms)
    return () => clearTimeout(timer)
  },
}

/** Resolves after `ms` milliseconds, or when `signal` aborts. The timer is cancelled in both cases. */
export function pause(host: Host, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve()
    const done = () => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = host.after(ms, done)
    signal.addEventListener('abort', done)
  })
}

/**
 * Returns the result of `work`. Rejects if `work` takes longer than `ms` milliseconds; `work` then continues to run.
 * The timer is always cancelled.
 */
export const inTime = <T>(work: Promise<T>, ms: number, host: Host): Promise<T> =>
  new Promise((resolve, reject) => {
    const cancel = host.after(ms, () => reject(new Error(`no answer in ${ms} ms`)))
    work.then(resolve, reject).finally(cancel)
  })

/** Returns the result of `work`. Rejects if `signal` aborts earlier; `work` then continues to run. */
export const unlessAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const stop = () => reject(new Error('aborted'))
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
