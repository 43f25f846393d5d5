import { NextResponse } from 'next/server'
import { connectVerifier, isTokenError, isTokensFault } from 'doorlist'
import { withClaims } from './claims.js'

const { ISSUER = 'http://localhost:8787' } = process.env
const verifier = connectVerifier.lazy({ issuer: ISSUER, audience: 'api' }) // no I/O: a build comes by here too
/** A Node server lives on after its answers. `event` of Next is for Vercel: here its end would wait for the stream's. */
const background = { waitUntil() {} }

/** For every request: a `matcher` would let others by, with whatever claims a client makes up. */
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
/** It is no fault of the token. */
const unavailable = ({ code }) => refusal(503, { 'retry-after': '5' }, { code })
