import type { Host } from '../host.js'

/** The same, or a rejection when it takes longer than so many milliseconds. */
export async function inTime<T>(work: Promise<T>, ms: number, host: Host): Promise<T> {
  let cancel = () => {}
  const late = new Promise<never>((_, reject) => {
    cancel = host.after(ms, () => reject(new Error(`not done in ${ms} ms`)))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    cancel()
  }
}
