import { TokenError } from './errors.js'

/** Names what this platform lacks, instead of a ReferenceError in the middle. */
export function mustHave(...names: string[]): void {
  for (const name of names) {
    if ((globalThis as Record<string, unknown>)[name] === undefined)
      throw new TokenError('ERR_PLATFORM_UNSUPPORTED', `this platform has no ${name}, which doorlist needs here`, {
        name,
      })
  }
}
