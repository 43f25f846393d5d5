// From a kick to the refusal of the token: one connected verifier in this process, an issuer that does nothing else.
import { setTimeout as pause } from 'node:timers/promises'
import { connectVerifier } from '../lib/doorlist.mjs'
import { withIssuer } from '../lib/issuer.mjs'

const KICKS = 300
const WARMUP = 20
/** Milliseconds until the issuer is idle again; it gathers what happens within a few into one list. */
const PAUSE = 25

/** Nanoseconds of each kick: from sending it, and from its acknowledgement (0: refused before that). */
export function kickToRefusal() {
  return withIssuer([], async issuer => {
    const verifier = await connectVerifier({ issuer: issuer.url, audience: 'api' })
    return timeKicks(issuer, {
      accepts: token => verifier.verify(token),
      refuses: token => refusal(verifier, token),
      close: () => verifier.close(),
    })
  })
}

/** The same of kicks at this issuer, for a verifier that accepts a token first, tells when it refuses it, and is closed. */
export async function timeKicks(issuer, verifier) {
  const [sent, acknowledged] = [[], []]
  try {
    for (let number = -WARMUP; number < KICKS; number++) {
      const sub = `user-${number + WARMUP}`
      const { access_token: token } = await issuer.admin('/sessions', { sub })
      verifier.accepts(token)
      await pause(PAUSE)
      const refused = verifier.refuses(token)
      const begin = performance.now()
      await issuer.admin(`/subjects/${sub}/revoke`)
      const answered = performance.now()
      const end = await refused
      if (number < 0) continue
      sent.push((end - begin) * 1e6)
      acknowledged.push(Math.max(0, end - answered) * 1e6)
    }
  } finally {
    verifier.close()
  }
  return { sent, acknowledged }
}

/** When the verifier first refuses the token. */
function refusal(verifier, token) {
  return new Promise(resolve => {
    const stop = verifier.on('change', () => {
      try {
        verifier.verify(token)
      } catch {
        stop()
        resolve(performance.now())
      }
    })
  })
}
