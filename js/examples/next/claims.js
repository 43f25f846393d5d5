/** How the proxy tells the handlers whose request it is. */
const HEADER = 'x-verified-claims'

/** These headers with the claims of a verified token, in place of what the client sent under that name. */
export function withClaims(headers, claims) {
  const forwarded = new Headers(headers)
  forwarded.set(HEADER, encodeURIComponent(JSON.stringify(claims)))
  return forwarded
}

export const claimsOf = request => JSON.parse(decodeURIComponent(request.headers.get(HEADER)))
