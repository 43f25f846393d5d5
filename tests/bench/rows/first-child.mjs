// Verifies one token. Prints the milliseconds from the end of the imports to the result.
import { AUDIENCE, ISSUER, JWK, JWKS, keyObject } from '../lib/world.mjs'

const [name, token] = process.argv.slice(2)

/** For each contender, a function that imports its library, and then returns a function with the measured steps. */
const steps = {
  doorlist: async () => {
    const { createVerifier } = await import('../../../js/dist/index.js')
    return () => createVerifier({ issuer: ISSUER, audience: AUDIENCE, jwks: JWKS, onMissing: 'allow' }).verify(token)
  },
  jose: async () => {
    const { importJWK, jwtVerify } = await import('jose')
    return async () => jwtVerify(token, await importJWK(JWK, 'EdDSA'), { issuer: ISSUER, audience: AUDIENCE })
  },
  'fast-jwt': async () => {
    const { createVerifier } = await import('fast-jwt')
    const key = keyObject.export({ format: 'pem', type: 'spki' })
    return () => createVerifier({ key, algorithms: ['EdDSA'], allowedIss: ISSUER, allowedAud: AUDIENCE })(token)
  },
  'aws-jwt-verify': async () => {
    const { JwtVerifier } = await import('aws-jwt-verify')
    return () => {
      const verifier = JwtVerifier.create({ issuer: ISSUER, audience: AUDIENCE, jwksUri: `${ISSUER}/jwks.json` })
      verifier.cacheJwks(JWKS)
      return verifier.verifySync(token)
    }
  },
  hono: async () => {
    const { verify } = await import('hono/jwt')
    return () => verify(token, JWK, { alg: 'EdDSA', typ: 'at+jwt', iss: ISSUER, aud: AUDIENCE })
  },
}

const step = await steps[name]()
const begin = performance.now()
const answer = await step()
const took = performance.now() - begin
if (!answer) throw new Error(`${name} refused a good token`)
process.stdout.write(String(took))
