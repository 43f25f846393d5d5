import { connectVerifier, isTokenError } from 'doorlist'
import { createSession } from 'doorlist/session'

declare const process: { argv: string[] }

async function follow(issuer: string) {
  const session = createSession({ issuer, storage: 'memory' })
  session.close()
  const verifier = await connectVerifier({ issuer, audience: 'api' })
  const token = await (await fetch(`${issuer}/token`)).text()
  const before = verifier.verify(token).revocation
  const changed = new Promise(resolve => verifier.on('change', resolve))
  await fetch(`${issuer}/kick`, { method: 'POST' })
  await changed
  let after: string = 'accepted'
  try {
    verifier.verify(token)
  } catch (error) {
    if (isTokenError(error)) after = error.code
  }
  verifier.close()
  return { before, after }
}

void follow(process.argv[2] ?? '').then(result => console.log(JSON.stringify(result)))
