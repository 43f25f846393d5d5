// Compiles, and only compiles, under every module resolution.
import { connectVerifier, createVerifier, isTokenError, TokenError, codes, type Verified } from 'doorlist'
import { bind, type WasmSource } from 'doorlist/slim'

const verifier = createVerifier({ issuer: 'https://issuer.example', audience: ['a', 'b'], onStale: 'deny' })
export const { payload, freshness }: Verified = verifier.verify('token', { currentDate: new Date() })
export const subject: string = payload.sub

export async function follow(source: WasmSource): Promise<string | undefined> {
  const connected = await connectVerifier({ issuer: 'https://issuer.example', audience: null })
  const off = connected.on('change', ({ sequence }) => sequence.toFixed())
  off()
  connected.close()
  const lazy = bind(source).connectVerifier.lazy({ issuer: 'https://issuer.example', audience: 'api' })
  await lazy.refresh({ waitUntil: () => {} })
  try {
    lazy.verify('token')
  } catch (error) {
    if (isTokenError(error, codes.ERR_JWT_REVOKED)) return error.message
    if (isTokenError(error, 'ERR_LIST_MISSING')) return error.code satisfies 'ERR_LIST_MISSING'
    if (error instanceof TokenError) return isTokenError(error, 'ERR_JWT_EXPIRED') ? 'expired' : error.code
  }
  return undefined
}

// @ts-expect-error: `audience` is mandatory
createVerifier({ issuer: 'https://issuer.example' })
// @ts-expect-error: no such policy
createVerifier({ issuer: 'https://issuer.example', audience: null, onMissing: 'ignore' })
