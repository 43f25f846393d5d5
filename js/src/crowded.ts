import { isBrowser } from './origin.js'

/**
 * Another possible reason for a timeout, as the end of a sentence. While streams hold the six HTTP/1.1 connections of
 * a browser to one host, it queues the seventh request without notice. Over HTTP/2 it does not.
 */
export function crowdingHint(url: string, isPage = isBrowser()): string {
  if (!isPage || protocolOf(url).startsWith('h')) return ''
  return '; or other tabs hold the six connections that a browser opens to one host over HTTP/1.1 (HTTP/2 has no such limit)'
}

/**
 * Returns `h2` or `h3` if the browser reports it for the last answer. Returns '' for `http/1.1`, or if the browser
 * hides it from other origins.
 */
function protocolOf(url: string): string {
  const { origin } = new URL(url)
  const timings = (globalThis.performance?.getEntriesByType?.('resource') ?? []) as PerformanceResourceTiming[]
  const known = timings.filter(({ name, nextHopProtocol }) => nextHopProtocol && name.startsWith(`${origin}/`))
  const last = known.at(-1)?.nextHopProtocol ?? ''
  return /^h\d/.test(last) ? last : ''
}
