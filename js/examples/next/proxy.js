import { NextResponse } from 'next/server'
import { connectVerifier, isTokenError, isTokensFault } from 'doorlist'
import { withClaims } from './claims.js'

const { ISSUER = 'http://localhost:8787' } = process.env
const verifier = connectVerifier.lazy({ issuer: ISSUER, audience: 'api' }) // no I/O: builds run this too
/**
 * A Node server keeps running after its answers. The proxy's own `event` is for Vercel: here it would wait for
 * the stream's end.
 */
const background = { waitUntil() {} }

/** Must run for every request: with a `matcher`, other requests would arrive with claims that the client invented. */
export async function proxy(request) {
  const [, token] = /^bearer +(.+)$/i.exec(request.headers.get('authorization')) ?? []
  if (!token) return refusal(401, { 'www-authenticate': 'Bearer realm="doorlist"' })
  try {
    await verifier.refresh(background) // the first request waits for a list
  } catch (error) {
    if (!isTokenError(error)) throw error
    return unavailable(error)
  }
  try {
    const { payload } = verifier.verify(token)
    return NextResponse.next({ request: { headers: withClaims(request.headers, payload) } })
  } catch (error) {
    if (!isTokenError(error)) throw error
    if (!isTokensFault(error)) return unavailable(error)
    const challenge = 'Bearer realm="doorlist", error="invalid_token"'
    return refusal(401, { 'www-authenticate': challenge }, { code: error.code })
  }
}

const refusal = (status, headers, body = {}) => Response.json(body, { status, headers })
/** The token is not at fault. */
const unavailable = ({ code }) => refusal(503, { 'retry-after': '5' }, { code })
