/** The clocks, timers and random numbers of the platform. No other code reads them directly. */
export interface Host {
  /** Wall clock, milliseconds since 1970. */
  now(): number
  /** Milliseconds since an unspecified time. The value never decreases. */
  monotonic(): number
  /** At least 0, below 1. */
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
 * Returns the result of `act`. Rejects if `act` takes longer than `ms` milliseconds, or if `signal` aborts earlier.
 * After a rejection `act` continues to run. The timer is always cancelled.
 */
export async function inTime<T>(
  host: Host,
  ms: number,
  signal: AbortSignal,
  act: () => T | PromiseLike<T>,
): Promise<T> {
  const enough = new AbortController()
  const stop = () => enough.abort()
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  const late = pause(host, ms, enough.signal).then(() => {
    throw new Error(`no answer in ${ms} ms`)
  })
  try {
    return await Promise.race([(async () => act())(), late])
  } finally {
    stop()
    signal.removeEventListener('abort', stop)
  }
}
