// One issuer and 10,000 subscribers on loopback: the time from an acknowledged kick to each subscriber's parsed
// event.
import { fanOut, resident, withIssuer } from '../lib/issuer.mjs'

const SUBSCRIBERS = 10_000
const KICKS = 10

/** The generator's report, and the issuer's resident bytes per subscriber, before and after the kicks. */
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
