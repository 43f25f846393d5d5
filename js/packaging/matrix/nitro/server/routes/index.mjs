import { defineEventHandler, getHeader, getQuery } from 'h3'
import { connectVerifier, isTokenError } from 'doorlist'

let verifier

export default defineEventHandler(async event => {
  const { issuer } = getQuery(event)
  verifier ??= connectVerifier.lazy({ issuer, audience: 'api' })
  try {
    await verifier.refresh({ waitUntil: promise => event.waitUntil(promise) })
    const { payload } = verifier.verify(getHeader(event, 'authorization')?.slice('Bearer '.length) ?? '')
    return { sub: payload.sub }
  } catch (error) {
    if (!isTokenError(error)) throw error
    return { code: error.code }
  }
})
