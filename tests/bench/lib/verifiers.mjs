// Verification functions as their makers' documentation advises: issuer, audience and time are checked, and the key is
// parsed once. Every runtime uses these functions, so the libraries are parameters. `world` is `{ issuer, audience,
// jwk, pem }`.

/** A Doorlist verifier that holds these lists. */
export function doorlistWith(createVerifier, { issuer, audience, jwk }, lists, options = {}) {
  const verifier = createVerifier({ issuer, audience, jwks: { keys: [jwk] }, ...options })
  for (const list of lists) verifier.load(list)
  return verifier
}

/** Resolves with a function of one token that returns a promise. */
export async function joseVerify({ importJWK, jwtVerify }, { issuer, audience, jwk }) {
  const key = await importJWK(jwk, 'EdDSA')
  const options = { issuer, audience, typ: 'at+jwt', algorithms: ['EdDSA'] }
  return token => jwtVerify(token, key, options)
}

/** Returns a function of one token; `cache` is false or the number of cached tokens. */
export const fastJwtVerify = ({ createVerifier }, { issuer, audience, pem }, cache) =>
  createVerifier({ key: pem, algorithms: ['EdDSA'], allowedIss: issuer, allowedAud: audience, cache })

/** Checks only the signature. Resolves with a function of `[signed bytes, signature]` that returns a promise. */
export async function webCryptoVerify({ jwk: { kty, crv, x } }) {
  const key = await crypto.subtle.importKey('jwk', { kty, crv, x }, 'Ed25519', false, ['verify'])
  return ([signed, signature]) => crypto.subtle.verify('Ed25519', key, signature, signed)
}
