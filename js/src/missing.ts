/** A sentence for each of these globals that the platform lacks. */
export const missing = (names: readonly string[]): string[] =>
  names
    .filter(name => (globalThis as Record<string, unknown>)[name] === undefined)
    .map(name => `this platform has no ${name}, which doorlist needs here: bring a polyfill`)
