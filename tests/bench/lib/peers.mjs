// The contenders in Node. Each function here creates a verification function, which verifies one token. The result of
// the verification can be a promise.
import { verify } from 'node:crypto'
import { fastJwtVerify, joseVerify, webCryptoVerify } from './verifiers.mjs'
import { AUDIENCE, ISSUER, JWK, JWKS, WORLD, keyObject } from './world.mjs'

export const peers = {
  jose: async () => joseVerify(await import('jose'), WORLD),
  'fast-jwt': async () => fastJwtVerify(await import('fast-jwt'), WORLD, false),
  'aws-jwt-verify': async () => {
    const { JwtVerifier } = await import('aws-jwt-verify')
    const verifier = JwtVerifier.create({ issuer: ISSUER, audience: AUDIENCE, jwksUri: `${ISSUER}/jwks.json` })
    verifier.cacheJwks(JWKS)
    return token => verifier.verifySync(token)
  },
  hono: async () => {
    const [{ verify }, { importJWK }] = await Promise.all([import('hono/jwt'), import('jose')])
    const key = await importJWK(JWK, 'EdDSA')
    return token => verify(token, key, { alg: 'EdDSA', typ: 'at+jwt', iss: ISSUER, aud: AUDIENCE })
  },
}

/** Contenders that check only the signature. Each function here creates a function of `[signed bytes, signature]`. */
export const bare = {
  'node:crypto':
    async () =>
    ([signed, signature]) =>
      verify(null, signed, keyObject, signature),
  WebCrypto: () => webCryptoVerify(WORLD),
  '@noble/ed25519': async () => {
    const { verifyAsync } = await import('@noble/ed25519')
    const key = Buffer.from(JWK.x, 'base64url')
    return ([signed, signature]) => verifyAsync(signature, signed, key)
  },
}

/** Returns the input of `bare` for a token: the signed bytes and the signature. */
export function taken(token) {
  const dot = token.lastIndexOf('.')
  return [Buffer.from(token.slice(0, dot), 'latin1'), Buffer.from(token.slice(dot + 1), 'base64url')]
}
