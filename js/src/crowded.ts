import { isBrowser } from './origin.js'

/**
 * Returns the end of a sentence that names another possible reason for a timeout. A browser opens at most six HTTP/1.1
 * connections to one host. While streams hold all six, the browser queues the seventh request without notice. HTTP/2
 * has no such limit.
 */
export function crowdingHint(url: string, isPage = isBrowser()): string {
  if (!isPage || protocolOf(url).startsWith('h')) return ''
  return '; or other tabs hold the six connections that a browser opens to one host over HTTP/1.1 (HTTP/2 has no such limit)'
}

/**
 * Returns `h2` or `h3` if the browser reports this protocol for the last answer. Returns '' for `http/1.1`, and also if
 * the browser hides the protocol because the host is another origin.
 */
function protocolOf(url: string): string {
  const { origin } = new URL(url)
  const timings = (globalThis.performance?.getEntriesByType?.('resource') ?? []) as PerformanceResourceTiming[]
  const known = timings.filter(({ name, nextHopProtocol }) => nextHopProtocol && name.startsWith(`${origin}/`))
  const last = known.at(-1)?.nextHopProtocol ?? ''
  return /^h\d/.test(last) ? last : ''
}
