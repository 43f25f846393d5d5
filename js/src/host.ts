/** The clocks, timers and chance of whoever runs this: the one place that is not a function of its arguments. */
export interface Host {
  /** Wall clock, milliseconds since 1970. */
  now(): number
  /** Milliseconds since some moment; never goes back. */
  monotonic(): number
  /** From 0 to below 1. */
  random(): number
  /** Calls once after `ms` milliseconds, unless the answer is called before. */
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

/** Resolves after `ms` milliseconds, or at once when `signal` aborts. Leaves no timer behind. */
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

/** What `act` comes to, unless that takes longer or `signal` aborts first: then it is left alone. Leaves no timer behind. */
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
