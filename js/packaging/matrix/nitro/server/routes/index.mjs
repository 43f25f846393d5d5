import { defineEventHandler, getHeader, getQuery } from 'h3'
import { connectVerifier, isTokenError } from 'doorlist'

let verifier

export default defineEventHandler(async event => {
  const { issuer } = getQuery(event)
  // Nitro's preset for Vercel's edge ignores promises that are passed to `event.waitUntil`. The platform would then end
  // the work after the response. Therefore, on Vercel, this code uses the event of Vercel.
  const platform = event.context.vercel?.event ?? event
  verifier ??= connectVerifier.lazy({ issuer, audience: 'api' })
  try {
    await verifier.refresh({ waitUntil: promise => platform.waitUntil(promise) })
    const { payload } = verifier.verify(getHeader(event, 'authorization')?.slice('Bearer '.length) ?? '')
    return { sub: payload.sub }
  } catch (error) {
    if (!isTokenError(error)) throw error
    return { code: error.code }
  }
})
