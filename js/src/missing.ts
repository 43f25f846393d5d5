import { TokenError } from './errors.js'

/**
 * Throws an error that names a feature that the platform lacks. Without this error, the use of the feature would throw
 * a ReferenceError later.
 */
export function mustHave(...names: string[]): void {
  for (const name of names) {
    if ((globalThis as Record<string, unknown>)[name] === undefined)
      throw new TokenError('ERR_PLATFORM_UNSUPPORTED', `this platform has no ${name}, which doorlist needs here`, {
        name,
      })
  }
}
