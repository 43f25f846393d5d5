// The time from a kick to the refusal of the token: one connected verifier in this process, and an otherwise
// idle issuer.
import { setTimeout as pause } from 'node:timers/promises'
import { connectVerifier } from '../lib/doorlist.mjs'
import { withIssuer } from '../lib/issuer.mjs'

const KICKS = 300
const WARMUP = 20
/** Milliseconds until the issuer is idle again. The issuer collects the changes of a few milliseconds in one list. */
const PAUSE = 25

/**
 * Nanoseconds for each kick, from sending it and from its acknowledgement (0 if the token was refused before the
 * acknowledgement).
 */
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

/**
 * The same for kicks at this issuer. The verifier first accepts a token, then reports the time of the first refusal
 * of this token, and is closed at the end.
 */
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

/** Resolves with the time when the verifier first refuses the token. */
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
