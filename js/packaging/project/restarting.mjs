import { connectVerifier } from 'doorlist'

/**
 * Verifies a token of this issuer and kicks its subject. Then a second verifier starts without a network, and verifies
 * the token again.
 */
export async function restart(issuer, kept) {
  const store = { get: key => kept.get(key) }
  const saved = new Promise(resolve => {
    store.set = async (key, value) => {
      await kept.set(key, value)
      if (sequences(value).includes(2)) resolve()
    }
  })
  const verifier = await connectVerifier({ issuer, audience: 'api', store })
  const token = await (await fetch(`${issuer}/token`)).text()
  const before = verifier.verify(token).revocation
  await fetch(`${issuer}/kick`, { method: 'POST' })
  await saved
  verifier.close()

  const offline = () => Promise.reject(new TypeError('offline'))
  const restarted = await connectVerifier({ issuer, audience: 'api', store, fetch: offline })
  try {
    restarted.verify(token)
    return { before, after: 'accepted' }
  } catch ({ code }) {
    return { before, after: code }
  } finally {
    restarted.close()
  }
}

/** Returns the sequence numbers of the lists in a value of the store. */
const sequences = value =>
  JSON.parse(value).lists.map(list => {
    const [, payload] = list.split('.')
    return JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))).seq
  })
