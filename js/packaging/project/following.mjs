import { connectVerifier } from 'doorlist'

/** Verifies a token of this issuer, kicks its subject, and verifies the token again after the next change. */
export async function follow(issuer) {
  const verifier = await connectVerifier({ issuer, audience: 'api' })
  const token = await (await fetch(`${issuer}/token`)).text()
  const before = verifier.verify(token).revocation
  const changed = new Promise(resolve => verifier.on('change', resolve))
  await fetch(`${issuer}/kick`, { method: 'POST' })
  await changed
  const { mode } = verifier.status()
  let after = 'accepted'
  try {
    verifier.verify(token)
  } catch (error) {
    after = error.code
  }
  verifier.close()
  return { before, after, mode }
}
