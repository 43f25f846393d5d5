import type { Host } from '../host.js'

/** Returns the result of `work`, or rejects if it takes longer than `ms` milliseconds. */
export const inTime = <T>(work: Promise<T>, ms: number, host: Host): Promise<T> =>
  new Promise((resolve, reject) => {
    const cancel = host.after(ms, () => reject(new Error(`no answer in ${ms} ms`)))
    work.then(resolve, reject).finally(cancel)
  })
