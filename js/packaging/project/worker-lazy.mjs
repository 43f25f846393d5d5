import { connectVerifier } from 'doorlist'
import { env } from 'cloudflare:workers'

const verifier = connectVerifier.lazy({ issuer: env.ISSUER, audience: 'api' })

export default {
  async fetch(request, _, ctx) {
    await verifier.refresh(ctx)
    try {
      const { revocation } = verifier.verify(request.headers.get('authorization').slice('Bearer '.length))
      return Response.json({ revocation })
    } catch (error) {
      return Response.json({ code: error.code })
    }
  },
}
