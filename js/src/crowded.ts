import { isBrowser } from './origin.js'

/**
 * Returns a text for the end of an error message about a timeout. The text names one more possible reason: a browser
 * opens at most six HTTP/1.1 connections to one host. While streams use all six, the browser silently queues further
 * requests. HTTP/2 has no such limit.
 */
export function crowdingHint(url: string, isPage = isBrowser()): string {
  if (!isPage || protocolOf(url).startsWith('h')) return ''
  return '; or other tabs hold the six connections that a browser opens to one host over HTTP/1.1 (HTTP/2 has no such limit)'
}

/**
 * Returns `h2` or `h3` if the browser reports this protocol for the last answer of the host. Returns '' for `http/1.1`.
 * Also returns '' if the browser hides the protocol. A browser can hide the protocol if the host belongs to another
 * origin.
 */
function protocolOf(url: string): string {
  const { origin } = new URL(url)
  const timings = (globalThis.performance?.getEntriesByType?.('resource') ?? []) as PerformanceResourceTiming[]
  const known = timings.filter(({ name, nextHopProtocol }) => nextHopProtocol && name.startsWith(`${origin}/`))
  const last = known.at(-1)?.nextHopProtocol ?? ''
  return /^h\d/.test(last) ? last : ''
}
