// Verification functions that follow the documentation of their libraries: they check issuer, audience and time, and
// parse the key once. Every runtime uses these functions, so the libraries are parameters. `world` is `{ issuer,
// audience, jwk, pem }`.

/** Returns a Doorlist verifier that holds these lists. */
export function doorlistWith(createVerifier, { issuer, audience, jwk }, lists, options = {}) {
  const verifier = createVerifier({ issuer, audience, jwks: { keys: [jwk] }, ...options })
  for (const list of lists) verifier.load(list)
  return verifier
}

/** Resolves with a verification function. It takes one token and returns a promise. */
export async function joseVerify({ importJWK, jwtVerify }, { issuer, audience, jwk }) {
  const key = await importJWK(jwk, 'EdDSA')
  const options = { issuer, audience, typ: 'at+jwt', algorithms: ['EdDSA'] }
  return token => jwtVerify(token, key, options)
}

/** Returns a verification function of one token. `cache` is the number of cached tokens, or false. */
export const fastJwtVerify = ({ createVerifier }, { issuer, audience, pem }, cache) =>
  createVerifier({ key: pem, algorithms: ['EdDSA'], allowedIss: issuer, allowedAud: audience, cache })

/**
 * Resolves with a function that checks only a signature. It takes `[signed bytes, signature]` and returns a promise.
 */
export async function webCryptoVerify({ jwk: { kty, crv, x } }) {
  const key = await crypto.subtle.importKey('jwk', { kty, crv, x }, 'Ed25519', false, ['verify'])
  return ([signed, signature]) => crypto.subtle.verify('Ed25519', key, signature, signed)
}
