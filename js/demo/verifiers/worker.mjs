// The code of the edge worker. It receives a token and returns the result of the check.
import { connectVerifier, isTokenError } from 'doorlist'
import { env } from 'cloudflare:workers'

const verifier = connectVerifier.lazy({ issuer: env.ISSUER, audience: 'api' })

export default {
  async fetch(request, _, ctx) {
    await verifier.refresh(ctx)
    try {
      const { freshness } = verifier.verify(await request.text())
      return Response.json({ accepted: true, freshness })
    } catch (error) {
      if (!isTokenError(error)) throw error
      return Response.json({ accepted: false, code: error.code })
    }
  },
}
