const { connectVerifier } = require('doorlist')

test('follows an issuer, and refuses a kicked user', async () => {
  const issuer = process.env.ISSUER
  const verifier = await connectVerifier({ issuer, audience: 'api' })
  const token = await (await fetch(`${issuer}/token`)).text()
  expect(verifier.verify(token).revocation).toBe('not_revoked')
  const changed = new Promise(resolve => verifier.on('change', resolve))
  await fetch(`${issuer}/kick`, { method: 'POST' })
  await changed
  expect(() => verifier.verify(token)).toThrow(expect.objectContaining({ code: 'ERR_JWT_REVOKED' }))
  verifier.close()
})
