import type { Status } from '../types/index.js'

// The parameters of a list's address (FORMAT.md §4). An issuer accepts only one spelling of each parameter. So each
// list has one address, and caches store the list once. This file does not use `searchParams`, because `searchParams`
// writes the `:` of `since` as `%3A`. This file also does not set `search`, because on React Native a URL cannot be
// changed.

/**
 * Returns the address at which the issuer answers with a delta from this position. Without a position, returns the
 * address unchanged.
 */
export function since(address: string, { epoch, sequence }: Pick<Status, 'epoch' | 'sequence'>): string {
  if (epoch === null || sequence === null) return address
  const { href, search, hash } = new URL(address)
  const whole = href.slice(0, href.length - hash.length).replace(/\?$/, '')
  return `${whole}${search ? '&' : '?'}since=${epoch}:${sequence}`
}

/**
 * Adds the parameter `fresh` to an address, so that no faulty cache has an answer for the address. The issuer accepts
 * no other parameter for this purpose. The value is the time, rounded down to a fifth of a `ttl`. Because of this
 * rounding, verifiers request only a few different addresses per `ttl`, even while the issuer has nothing newer.
 */
export function fresh(address: string, nowMs: number, ttlMs: number): string {
  const step = Math.max(1, Math.floor(ttlMs / 5000))
  const secs = Math.floor(nowMs / 1000 / step) * step
  return `${address}${address.includes('?') ? '&' : '?'}fresh=${secs}`
}
