/**
 * Runs an adapter without its framework, with tokens of an issuer in memory. One token is checked before and after a
 * kick. Another token does not have the required scope.
 */
export async function tried({
  createVerifier,
  createTestIssuer,
  authenticate,
  requireScope,
  fastify,
  hono,
  companions,
  createSession,
  kvStore,
  cacheStore,
  indexedDbStore,
  fileStore,
}) {
  const issuer = await createTestIssuer()
  const verifier = createVerifier(issuer.rules)
  const load = async () => verifier.load(await issuer.list())
  const steps = [authenticate(verifier), requireScope('admin')]
  for (const { authenticate } of [fastify, hono]) authenticate(verifier)
  companions.isRevoked(verifier)
  for (const make of [indexedDbStore, fileStore]) make('nowhere')
  cacheStore({ match() {}, put() {} })
  kvStore({ get() {}, put() {} })

  const session = createSession({ issuer: issuer.rules.issuer, storage: 'memory' })
  const nobody = await session.ready
  session.close()

  const ask = token =>
    new Promise(resolve => {
      const request = { headers: { authorization: `Bearer ${token}` } }
      const response = { setHeader() {}, end: body => resolve(JSON.parse(body).code ?? response.statusCode) }
      steps[0](request, response, () => steps[1](request, response, () => resolve(request.auth.payload.sub)))
    })
  await load()
  const token = await issuer.token({ scope: 'admin' })
  const [before, outside] = [await ask(token), await ask(await issuer.token())]
  await issuer.revoke('alice')
  await load()
  return { before, outside, after: await ask(token), nobody }
}
