import { isBrowser } from './origin.js'

/**
 * What else may have kept a request without an answer, for the end of a sentence. A browser queues the seventh HTTP/1.1 request to a host
 * without a word while streams hold its six connections; over HTTP/2 it does not.
 */
export function crowdingHint(url: string, isPage = isBrowser()): string {
  if (!isPage || protocolOf(url).startsWith('h')) return ''
  return '; or other tabs hold the six connections that a browser opens to one host over HTTP/1.1, which HTTP/2 does away with'
}

/** `h2` or `h3` where the browser told it of the last answer; nothing for `http/1.1`, or where it hides it from other origins. */
function protocolOf(url: string): string {
  const { origin } = new URL(url)
  const timings = (globalThis.performance?.getEntriesByType?.('resource') ?? []) as PerformanceResourceTiming[]
  const known = timings.filter(({ name, nextHopProtocol }) => nextHopProtocol && name.startsWith(`${origin}/`))
  const last = known.at(-1)?.nextHopProtocol ?? ''
  return /^h\d/.test(last) ? last : ''
}
