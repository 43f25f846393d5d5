// Everybody's verification as their own documentation advises it: issuer, audience and time checked, the key parsed once.
// Each maker answers a function of one token, which may answer a promise.
import { verify } from 'node:crypto'
import { AUDIENCE, ISSUER, JWK, JWKS, keyObject } from './world.mjs'

export const peers = {
  jose: async () => {
    const { importJWK, jwtVerify } = await import('jose')
    const key = await importJWK(JWK, 'EdDSA')
    const options = { issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt', algorithms: ['EdDSA'] }
    return token => jwtVerify(token, key, options)
  },
  'fast-jwt': async () => fastJwt(false),
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

/** fast-jwt with its cache on, for as many tokens. */
export const cachingFastJwt = size => fastJwt(size)

async function fastJwt(cache) {
  const { createVerifier } = await import('fast-jwt')
  const key = keyObject.export({ format: 'pem', type: 'spki' })
  return createVerifier({ key, algorithms: ['EdDSA'], allowedIss: ISSUER, allowedAud: AUDIENCE, cache })
}

/** A signature and nothing else: each maker answers a function of `[signed bytes, signature]`. */
export const bare = {
  'node:crypto':
    async () =>
    ([signed, signature]) =>
      verify(null, signed, keyObject, signature),
  WebCrypto: async () => {
    const key = await crypto.subtle.importKey('jwk', { kty: JWK.kty, crv: JWK.crv, x: JWK.x }, 'Ed25519', false, [
      'verify',
    ])
    return ([signed, signature]) => crypto.subtle.verify('Ed25519', key, signature, signed)
  },
  '@noble/ed25519': async () => {
    const { verifyAsync } = await import('@noble/ed25519')
    const key = Buffer.from(JWK.x, 'base64url')
    return ([signed, signature]) => verifyAsync(signature, signed, key)
  },
}

/** What `bare` works on. */
export function taken(token) {
  const dot = token.lastIndexOf('.')
  return [Buffer.from(token.slice(0, dot), 'latin1'), Buffer.from(token.slice(dot + 1), 'base64url')]
}
