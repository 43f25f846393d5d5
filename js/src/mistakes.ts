/** What engines and implementations of `fetch` say of a wrong argument or a bug; none of it is said of a network. */
const WORDS =
  /Cannot read|is not (an? |iter|defined)|instance of|Failed to [ecpr]|implement|must be|Invalid (URL|arg|head)|RequestInit|credentials|have body/i

/**
 * Whether `fetch` failed by a mistake of the program (a bug, a wrong argument, an object of another realm), not of the
 * network. Everything that is not recognised counts as the network's: it may get better.
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
 * Asks with the signal; and without, where `fetch` refuses it because it is of another realm than `AbortController`, as in
 * test environments with jsdom. Such a request cannot be ended before it has an answer.
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
