/** The header by which the proxy passes the verified claims to the handlers. */
const HEADER = 'x-verified-claims'

/** A copy of these headers with the verified claims. Any header of this name from the client is replaced. */
export function withClaims(headers, claims) {
  const forwarded = new Headers(headers)
  forwarded.set(HEADER, encodeURIComponent(JSON.stringify(claims)))
  return forwarded
}

export const claimsOf = request => JSON.parse(decodeURIComponent(request.headers.get(HEADER)))
