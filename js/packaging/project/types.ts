// This file is only compiled, with each module resolution.
import { connectVerifier, createVerifier, isTokenError, TokenError, codes, type Verified } from 'doorlist'
import { isRevoked, trusted } from 'doorlist/companions'
import { authenticate, requireScope, type AuthenticateOptions, type Middleware } from 'doorlist/express'
import { createSession, isSessionError, type Session, type TokenStorage } from 'doorlist/session'
import { bind, type WasmSource } from 'doorlist/slim'
import { cacheStore, indexedDbStore, kvStore, type ListStore } from 'doorlist/stores'
import { fileStore } from 'doorlist/stores/file'
import { createTestIssuer, type TestIssuer } from 'doorlist/testing'

const verifier = createVerifier({ issuer: 'https://issuer.example', audience: ['a', 'b'], onStale: 'deny' })
export const { payload, freshness }: Verified = verifier.verify('token', { currentDate: new Date() })
export const subject: string = payload.sub

export async function follow(source: WasmSource): Promise<string | undefined> {
  const connected = await connectVerifier({ issuer: 'https://issuer.example', audience: null })
  const off = connected.on('change', ({ sequence, revoked }) => revoked.includes(sequence.toFixed()))
  off()
  connected.close()
  const lazy = bind(source).connectVerifier.lazy({ issuer: 'https://issuer.example', audience: 'api' })
  await lazy.refresh({ waitUntil: () => {} })
  try {
    lazy.verify('token')
  } catch (error) {
    if (isTokenError(error, codes.ERR_JWT_REVOKED)) return error.message
    if (isTokenError(error, 'ERR_LIST_MISSING')) return error.code satisfies 'ERR_LIST_MISSING'
    if (error instanceof TokenError)
      return isTokenError(error, 'ERR_JWT_EXPIRED') ? error.evidence.expiresAt.toFixed() : String(error.evidence['url'])
  }
  return undefined
}

const kv = { get: async () => null, put: async () => {} }
const stores: ListStore[] = [
  indexedDbStore(),
  cacheStore(caches.open('lists')),
  kvStore(kv),
  fileStore('lists'),
  new Map<string, string>(),
]
export const kept = stores.map(store =>
  connectVerifier.lazy({ issuer: 'https://issuer.example', audience: 'api', store }),
)

declare module 'doorlist/express' {
  interface Register {
    optional: true
  }
}

const options: AuthenticateOptions = { cookie: 'token', optional: true }
export const steps: Middleware[] = [authenticate(verifier, options), requireScope('admin')]
export const beside = [isRevoked(verifier), trusted(verifier)]
export async function tried(): Promise<string> {
  const issuer: TestIssuer = await createTestIssuer({ audience: 'shop' })
  const tested = createVerifier({ ...issuer.rules, maxStaleness: 5 })
  tested.load(await issuer.list({ ttl: 5 }))
  return tested.assertNotRevoked({ iss: 'x' }, { protectedHeader: {} }).revocation
}

const storage: TokenStorage = new Map<string, string>()
export async function signIn(): Promise<string | undefined> {
  const issuer = 'https://issuer.example'
  const session: Session = createSession({
    issuer,
    storage,
    verifier: () => connectVerifier({ issuer, audience: 'api' }),
  })
  const off = session.onChange(state => state === 'kicked' && session.close())
  off()
  try {
    await session.login({ username: 'alice', password: 'wonderland' })
    await session.fetch('/me')
    return await session.getAccessToken()
  } catch (error) {
    return isSessionError(error, 'ERR_SESSION_OFFLINE') ? error.code : undefined
  }
}
// @ts-expect-error: there is no storage with this name
createSession({ issuer: 'https://issuer.example', storage: 'local' })

// @ts-expect-error: `audience` is mandatory
createVerifier({ issuer: 'https://issuer.example' })
// @ts-expect-error: there is no policy with this name
createVerifier({ issuer: 'https://issuer.example', audience: null, onMissing: 'ignore' })
