import type { Host } from '../host.js'

/** The same, or a rejection when it takes longer than so many milliseconds. */
export const inTime = <T>(work: Promise<T>, ms: number, host: Host): Promise<T> =>
  new Promise((resolve, reject) => {
    const cancel = host.after(ms, () => reject(new Error(`no answer in ${ms} ms`)))
    work.then(resolve, reject).finally(cancel)
  })
