// Measures the time from a kick to the refusal of the token. There is one connected verifier in this process. The
// issuer has no other work.
import { setTimeout as pause } from 'node:timers/promises'
import { connectVerifier } from '../lib/doorlist.mjs'
import { withIssuer } from '../lib/issuer.mjs'

const KICKS = 300
const WARMUP = 20
/**
 * The pause before each kick, in milliseconds. After this pause the issuer is idle again. The issuer puts all changes
 * of a few milliseconds into one list.
 */
const PAUSE = 25

/**
 * Returns two times in nanoseconds for each kick: from sending the kick to the refusal, and from the acknowledgement to
 * the refusal. If the token was refused before the acknowledgement, the second time is 0.
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
 * Kicks subjects at this issuer, and returns the two times of `kickToRefusal` for each kick. The verifier must accept
 * the token before the kick, and must report the time at which it first refuses the token. The verifier is closed at
 * the end.
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
