import { TokenError } from './errors.js'

/** Throws an error that names the missing feature. Without this check, a ReferenceError would be thrown later. */
export function mustHave(...names: string[]): void {
  for (const name of names) {
    if ((globalThis as Record<string, unknown>)[name] === undefined)
      throw new TokenError('ERR_PLATFORM_UNSUPPORTED', `this platform has no ${name}, which doorlist needs here`, {
        name,
      })
  }
}
