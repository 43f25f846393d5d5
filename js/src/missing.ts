import { TokenError } from './errors.js'

/** Throws an error that names the missing feature, instead of a ReferenceError later. */
export function mustHave(...names: string[]): void {
  for (const name of names) {
    if ((globalThis as Record<string, unknown>)[name] === undefined)
      throw new TokenError('ERR_PLATFORM_UNSUPPORTED', `this platform has no ${name}, which doorlist needs here`, {
        name,
      })
  }
}
