// Verifications as their makers' documentation advises: issuer, audience and time checked, the key parsed once. For every
// runtime, so libraries are handed in; `world` is `{ issuer, audience, jwk, pem }`.

/** Doorlist's, which holds these lists. */
export function doorlistWith(createVerifier, { issuer, audience, jwk }, lists, options = {}) {
  const verifier = createVerifier({ issuer, audience, jwks: { keys: [jwk] }, ...options })
  for (const list of lists) verifier.load(list)
  return verifier
}

/** A function of one token, which answers a promise. */
export async function joseVerify({ importJWK, jwtVerify }, { issuer, audience, jwk }) {
  const key = await importJWK(jwk, 'EdDSA')
  const options = { issuer, audience, typ: 'at+jwt', algorithms: ['EdDSA'] }
  return token => jwtVerify(token, key, options)
}

/** A function of one token; `cache` is false, or for how many. */
export const fastJwtVerify = ({ createVerifier }, { issuer, audience, pem }, cache) =>
  createVerifier({ key: pem, algorithms: ['EdDSA'], allowedIss: issuer, allowedAud: audience, cache })

/** A signature and nothing else: a function of `[signed bytes, signature]`, which answers a promise. */
export async function webCryptoVerify({ jwk: { kty, crv, x } }) {
  const key = await crypto.subtle.importKey('jwk', { kty, crv, x }, 'Ed25519', false, ['verify'])
  return ([signed, signature]) => crypto.subtle.verify('Ed25519', key, signature, signed)
}
