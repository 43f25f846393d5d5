// One issuer and 10,000 subscribers on loopback: from an acknowledged kick to each one's parsed event.
import { fanOut, resident, withIssuer } from '../lib/issuer.mjs'

const SUBSCRIBERS = 10_000
const KICKS = 10

/** The generator's report, and the issuer's resident bytes for a subscriber, before the kicks and after them. */
export function streamFanOut() {
  // No heartbeat comes between the kicks.
  return withIssuer(['--heartbeat-secs', '30'], async issuer => {
    const before = resident(issuer.pid)
    let connected
    const report = await fanOut(issuer, SUBSCRIBERS, KICKS, () => {
      connected = resident(issuer.pid)
    })
    return { ...report, bytesEach: (connected - before) / SUBSCRIBERS }
  })
}
