import type { Host } from './host.js'
import { ask } from './mistakes.js'
import { OutOfTime, Unreachable, failure, fetchFailed, hungUp, statusFailure } from './unreachable.js'

export { Unreachable } from './unreachable.js'

export interface Http {
  readonly fetch: typeof globalThis.fetch
  readonly host: Host
}

/**
 * The values of the option `cache` with which `fetch` bypasses the browser's cache. `reload` also replaces the entry in
 * the cache.
 */
export type PastCaches = 'no-store' | 'reload'

export interface Request {
  readonly url: string
  /** The expected media type. */
  readonly accept: string
  /**
   * Makes the request bypass the caches of the platform. A platform without the option `cache` ignores this setting.
   * Default: a cache can answer the request.
   */
  readonly cache?: PastCaches | undefined
  readonly signal: AbortSignal
}

/**
 * Every answer must begin within this many milliseconds. An answer that is not a stream must also end within this time.
 */
export const TIMEOUT_MS = 10_000

/**
 * Returns the body of a response with status 200. The body is a text of at most `maxBytes` bytes. Refuses HTML, because
 * no valid body is HTML.
 */
export async function fetchText(http: Http, request: Request & { readonly maxBytes: number }): Promise<string> {
  const { url, maxBytes } = request
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for await (const chunk of fetchBytes(http, request, 'in time')) {
    length += chunk.length
    if (length > maxBytes) throw new Unreachable(`${url} sent more than ${maxBytes} bytes`, { url, reason: 'too_long' })
    text += decoder.decode(chunk, { stream: true })
  }
  text += decoder.decode()
  if (!/^\s*</.test(text)) return text
  const fix = 'another web server, or the fallback of a single-page app, answers there; check the path of `issuer`'
  throw new Unreachable(`${url} is an HTML page, not ${request.accept}: ${fix}`, {
    url,
    reason: 'html',
    lasting: true,
  })
}

/**
 * Yields the text of a response with status 200 in parts, each as soon as it arrives. The first part is empty, and
 * shows that the stream has opened. Ends when the server ends the body. Throws when the connection breaks.
 */
export async function* fetchStream(http: Http, request: Request): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  for await (const chunk of fetchBytes(http, request, 'open end')) yield decoder.decode(chunk, { stream: true })
}

async function* fetchBytes(http: Http, request: Request, body: 'in time' | 'open end') {
  const { fetch, host } = http
  const { url, accept, signal } = request
  const abort = new AbortController()
  // The reason for the abort is also stored here, because signals of some platforms have no `reason`.
  let reason: unknown
  const end = (why: unknown) => {
    reason ??= why
    abort.abort(why)
  }
  const stop = () => end(signal.reason)
  const late = host.after(TIMEOUT_MS, () => end(new OutOfTime(TIMEOUT_MS)))
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  let response: Response | undefined
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  try {
    // `Accept` is the only header of the request. Because `Accept` is CORS-safelisted, a browser sends no preflight
    // request. Redirects are not followed, because a redirect could lead to any address.
    const init = { headers: { accept }, redirect: 'manual' as const, signal: abort.signal }
    const cache = supported(request.cache)
    const asked = ask(fetch, url, { ...init, ...(cache !== undefined && { cache }) })
    response = await unlessAborted(asked, abort.signal, () => reason)
    if (typeof response?.status !== 'number') throw fetchFailed(url, 'its answer is not a Response')
    if (response.status !== 200) throw statusFailure(url, response)
    if (body === 'open end') {
      late()
      const type = response.headers.get('content-type') ?? 'no content type'
      if (!type.toLowerCase().startsWith(accept))
        throw new Unreachable(`${url} answered with ${type}, not ${accept}`, { url, reason: 'content_type' })
      yield new Uint8Array()
    }
    // React Native has no streams. The whole answer arrives at once, so the length of the answer is checked only after
    // its arrival.
    if (body === 'in time' && response.body === undefined) yield new TextEncoder().encode(await response.text())
    if (response.body && typeof response.body.getReader !== 'function')
      throw fetchFailed(url, 'the body of its answer is not a ReadableStream; use the global `fetch`')
    reader = response.body?.getReader()
    abort.signal.addEventListener('abort', () => void reader?.cancel().catch(() => {}))
    while (!abort.signal.aborted) {
      const chunk = await reader?.read()
      if (chunk?.value === undefined) break
      yield chunk.value
    }
    if (abort.signal.aborted) throw reason
  } catch (error) {
    const found = failure(url, abort.signal.aborted ? reason : error)
    throw response === undefined ? await hungUp(found, fetch, url, abort.signal) : found
  } finally {
    late()
    signal.removeEventListener('abort', stop)
    abort.abort()
    void reader?.cancel().catch(() => {})
  }
}

/**
 * Returns the answer. Rejects when the signal aborts before the answer arrives. This function is necessary because the
 * `fetch` of an application may ignore signals.
 */
function unlessAborted(answer: Promise<Response>, signal: AbortSignal, reason: () => unknown): Promise<Response> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(reason())
    signal.addEventListener('abort', giveUp)
    if (signal.aborted) giveUp()
    answer.then(response => {
      if (signal.aborted) void response?.body?.cancel().catch(() => {})
      resolve(response)
    }, reject)
  })
}

/**
 * Returns the value of the option `cache` to use on this platform, or `undefined` if the platform supports none of the
 * values. Workers support at most `no-store`, and throw for unknown values.
 */
function supported(wanted: PastCaches | undefined): PastCaches | undefined {
  if (wanted === undefined || !('cache' in (globalThis.Request?.prototype ?? {}))) return undefined
  try {
    return new globalThis.Request('https://cache.invalid', { cache: wanted }).cache as PastCaches
  } catch {
    return wanted === 'no-store' ? undefined : supported('no-store')
  }
}
