/**
 * Words that appear in errors of engines and `fetch` implementations for a wrong argument or a bug. None of these words
 * appears in an error for a network failure.
 */
const WORDS =
  /Cannot read|is not (an? |iter|defined)|instance of|Failed to [ecpr]|implement|must be|Invalid (URL|arg|head)|RequestInit|credentials|have body/i

/**
 * Whether `fetch` failed because of a mistake in the program: a bug, a wrong argument, or an object of another realm.
 * An unknown error counts as a network failure, because a network failure can end without a change of the program.
 */
export function isMistake(error: unknown): boolean {
  const { name, message, cause } = Object(error) as Error
  return (
    /^(Ref|Syn|Ran|URI|InvalidA)/.test(name) ||
    (name === 'TypeError' && WORDS.test(message)) ||
    (!!cause && isMistake(cause))
  )
}

/**
 * Sends the request with the signal. In test environments with jsdom, `fetch` can refuse the signal because the signal
 * comes from another realm. In this case the request is sent again without a signal, and cannot be cancelled.
 */
export async function ask(
  fetch: typeof globalThis.fetch,
  url: string,
  init: RequestInit & { signal: AbortSignal },
): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (error) {
    if (init.signal.aborted || !/signal/i.test((error as Error)?.message) || !isMistake(error)) throw error
    return fetch(url, { ...init, signal: null })
  }
}
