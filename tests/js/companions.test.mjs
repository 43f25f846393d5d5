// Services that already verify tokens with jose, express-jwt or @fastify/jwt. Only the kick check is added.
import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { listening } from './frameworks.mjs'
import {
  PACKAGE,
  createVerifier,
  importDevelopmentPackage,
  isTokenError,
  issuerOf,
  openSession,
  refusal,
  verifierOf,
} from './support.mjs'

const { isRevoked, trusted } = await import(pathToFileURL(`${PACKAGE}/companions.js`))
const jose = await importDevelopmentPackage('jose')
const options = { timeout: 60_000 }

const keysOf = async issuer => (await fetch(`${issuer.url}/.well-known/jwks.json`)).json()
const statusOf = async (url, token) => (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status
/** Creates a verifier without keys and without a list. */
const ignorant = issuer => createVerifier({ issuer: issuer.url, audience: 'api' })

test('a token that jose verified is refused after a kick', options, async story => {
  const issuer = await issuerOf(story)
  const verifier = await verifierOf(story, issuer.url)
  const { assertNotRevoked } = verifier
  const keys = jose.createLocalJWKSet(await keysOf(issuer))
  const [alice, bob] = [await openSession(issuer, 'alice'), await openSession(issuer, 'bob')]
  const check = async ({ access_token: token }) => {
    const { payload, protectedHeader } = await jose.jwtVerify(token, keys, { issuer: issuer.url, audience: 'api' })
    return assertNotRevoked(payload, { protectedHeader })
  }
  assert.equal((await check(alice)).revocation, 'not_revoked')

  await issuer.admin('/subjects/alice/revoke')
  await refusal(verifier, alice.access_token)
  await assert.rejects(check(alice), error => isTokenError(error, 'ERR_JWT_REVOKED') && error.evidence.by === 'gid')
  assert.equal((await check(bob)).revocation, 'not_revoked')

  // The key is retired. jose still has this key and accepts the token, but the verifier must refuse the token.
  const { protectedHeader } = verifier.verify(bob.access_token)
  await issuer.admin('/keys/retire', { kid: protectedHeader.kid })
  await refusal(verifier, bob.access_token)
  await assert.rejects(check(bob), error => isTokenError(error, 'ERR_JWKS_NO_MATCHING_KEY'))
})

for (const complete of [false, true]) {
  test(
    `a token that @fastify/jwt verified is refused after a kick (${complete ? 'complete' : 'claims only'})`,
    options,
    async story => {
      const issuer = await issuerOf(story)
      const { keys } = await keysOf(issuer)
      const pem = kid => {
        const key = createPublicKey({ key: keys.find(key => key.kid === kid), format: 'jwk' })
        return key.export({ type: 'spki', format: 'pem' })
      }
      const serve = async verifier => {
        const { default: fastify } = await importDevelopmentPackage('fastify')
        const { default: jwt } = await importDevelopmentPackage('@fastify/jwt')
        const app = fastify()
        await app.register(jwt, {
          secret: { public: async (_, { header }) => pem(header.kid) },
          decode: { complete: true },
          verify: { algorithms: ['EdDSA'], allowedIss: issuer.url, complete },
          trusted: trusted(verifier),
        })
        app.addHook('onRequest', request => request.jwtVerify())
        app.get('/', request => request.user)
        story.after(() => app.close())
        return app.listen({ host: '127.0.0.1', port: 0 })
      }
      const verifier = await verifierOf(story, issuer.url)
      const service = await serve(verifier)
      const { access_token: token } = await openSession(issuer, 'alice')
      assert.equal(await statusOf(service, token), 200)
      await issuer.admin('/subjects/alice/revoke')
      await refusal(verifier, token)
      assert.equal(await statusOf(service, token), 401)
      assert.equal(await statusOf(await serve(ignorant(issuer)), token), 503)
    },
  )
}

test('a token of a back end that express-jwt verified is refused after a kick', options, async story => {
  const issuer = await issuerOf(story)
  const { expressjwt } = await importDevelopmentPackage('express-jwt')
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  // express-jwt uses jsonwebtoken, which does not support Ed25519. Therefore a gateway signs the same claims with its
  // own RSA key.
  const resigned = async token =>
    new jose.SignJWT(jose.decodeJwt(token)).setProtectedHeader({ alg: 'RS256', kid: 'gateway' }).sign(privateKey)
  const serve = async (verifier, version) => {
    const { default: express } = await importDevelopmentPackage(version)
    const app = express().set('env', 'test')
    app.use(
      expressjwt({ secret: publicKey, algorithms: ['RS256'], issuer: issuer.url, isRevoked: isRevoked(verifier) }),
    )
    app.get('/', (request, response) => response.json(request.auth))
    return listening(story, createServer(app))
  }
  const verifier = await verifierOf(story, issuer.url)
  const services = [await serve(verifier, 'express'), await serve(verifier, 'express4')]
  const { access_token: token } = await openSession(issuer, 'alice')
  const gateways = await resigned(token)
  for (const service of services) assert.equal(await statusOf(service, gateways), 200)
  await issuer.admin('/subjects/alice/revoke')
  await refusal(verifier, token)
  for (const service of services) assert.equal(await statusOf(service, gateways), 401)
  assert.equal(await statusOf(await serve(ignorant(issuer), 'express'), gateways), 503)
})
