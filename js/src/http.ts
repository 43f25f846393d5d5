import type { Host } from './host.js'

/** A request that brought no usable answer: no connection, another status, too much, too late. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

export interface Http {
  readonly fetch: typeof globalThis.fetch
  readonly host: Host
}

/** `reload` also replaces what a browser's cache has. */
export type PastCaches = 'no-store' | 'reload'

export interface Request {
  readonly url: string
  /** The media type wanted. */
  readonly accept: string
  /** Past the platform's caches, where it lets a request say so. Default: they may answer. */
  readonly cache?: PastCaches | undefined
  readonly signal: AbortSignal
}

/** Milliseconds within which an answer must begin; one that is no stream must end in them. */
export const TIMEOUT_MS = 10_000

/** The body of a 200, as text of at most `maxBytes` bytes. */
export async function fetchText(http: Http, request: Request & { readonly maxBytes: number }): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for await (const chunk of fetchBytes(http, request, 'in time')) {
    length += chunk.length
    if (length > request.maxBytes) throw new Unreachable(`${request.url} sent more than ${request.maxBytes} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** The text of a 200 as it arrives, an empty one first. Ends when the other side ends it, throws when the connection breaks. */
export async function* fetchStream(http: Http, request: Request): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  for await (const chunk of fetchBytes(http, request, 'open end')) yield decoder.decode(chunk, { stream: true })
}

async function* fetchBytes(http: Http, request: Request, body: 'in time' | 'open end') {
  const { fetch, host } = http
  const { url, accept, signal } = request
  const abort = new AbortController()
  const stop = () => abort.abort(signal.reason)
  const late = host.after(TIMEOUT_MS, () => abort.abort(new Unreachable(`${url} did not answer in ${TIMEOUT_MS} ms`)))
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  try {
    // `Accept` alone keeps a browser from asking for leave first (CORS-safelisted); a redirect could lead anywhere.
    const init: RequestInit = { headers: { accept }, redirect: 'manual', signal: abort.signal }
    const cache = supported(request.cache)
    if (cache !== undefined) init.cache = cache
    const response = await inTime(fetch(url, init), abort.signal)
    if (response.status !== 200) throw new Unreachable(`${url} answered with status ${response.status}`)
    if (body === 'open end') {
      late()
      const type = response.headers.get('content-type') ?? 'no content type'
      if (!type.toLowerCase().startsWith(accept)) throw new Unreachable(`${url} answered with ${type}`)
      yield new Uint8Array()
    }
    reader = response.body?.getReader()
    abort.signal.addEventListener('abort', () => void reader?.cancel().catch(() => {}))
    while (!abort.signal.aborted) {
      const chunk = await reader?.read()
      if (chunk?.value === undefined) break
      yield chunk.value
    }
    abort.signal.throwIfAborted()
  } catch (error) {
    const reason: unknown = abort.signal.aborted ? abort.signal.reason : error
    if (reason instanceof Unreachable) throw reason
    throw new Unreachable(`${url} could not be read: ${inWords(reason)}`, { cause: reason })
  } finally {
    late()
    signal.removeEventListener('abort', stop)
    abort.abort()
    void reader?.cancel().catch(() => {})
  }
}

/** The answer, unless the signal aborts first: a `fetch` that was brought along may know no signals. */
function inTime(answer: Promise<Response>, signal: AbortSignal): Promise<Response> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason)
    signal.addEventListener('abort', giveUp)
    if (signal.aborted) giveUp()
    answer.then(response => {
      if (signal.aborted) void response.body?.cancel().catch(() => {})
      resolve(response)
    }, reject)
  })
}

/** Workers know `no-store` at most, and throw at what they do not know. */
function supported(wanted: PastCaches | undefined): PastCaches | undefined {
  if (wanted === undefined || !('cache' in globalThis.Request.prototype)) return undefined
  try {
    return new globalThis.Request('https://cache.invalid', { cache: wanted }).cache as PastCaches
  } catch {
    return wanted === 'no-store' ? undefined : supported('no-store')
  }
}

/** Node's "fetch failed" keeps what failed one level down. */
function inWords(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason)
  return reason.cause instanceof Error ? `${reason.message} (${reason.cause.message})` : reason.message
}
