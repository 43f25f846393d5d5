/**
 * Words that engines and `fetch` implementations use for a wrong argument or a bug, and never for a network failure.
 */
const WORDS =
  /Cannot read|is not (an? |iter|defined)|instance of|Failed to [ecpr]|implement|must be|Invalid (URL|arg|head)|RequestInit|credentials|have body/i

/**
 * Whether `fetch` failed because of a mistake in the program (a bug, a wrong argument, an object of another realm), not
 * because of the network. An unrecognised error counts as a network failure, because the failure may pass.
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
 * Sends the request with the signal. In test environments with jsdom, `fetch` may refuse the signal because it comes
 * from another realm. Then this sends the request again without a signal. Such a request cannot be cancelled before it
 * is answered.
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
