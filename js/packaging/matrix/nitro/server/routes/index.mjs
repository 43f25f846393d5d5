import { defineEventHandler, getHeader, getQuery } from 'h3'
import { connectVerifier, isTokenError } from 'doorlist'

let verifier

export default defineEventHandler(async event => {
  const { issuer } = getQuery(event)
  // Nitro's preset for Vercel's edge does not pass the promises of `event.waitUntil` on, and the platform then
  // ends the work with the response.
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
