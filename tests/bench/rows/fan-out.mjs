// One issuer and 10,000 subscribers on loopback. Measures the time from an acknowledged kick until each subscriber has
// parsed the event.
import { fanOut, resident, withIssuer } from '../lib/issuer.mjs'

const SUBSCRIBERS = 10_000
const KICKS = 10

/**
 * Returns the report of the load generator, and the resident bytes of the issuer per subscriber, before and after the
 * kicks.
 */
export function streamFanOut() {
  // The kicks take less time than one heartbeat interval, so no heartbeat is sent between the kicks.
  return withIssuer(['--heartbeat-secs', '30'], async issuer => {
    const before = resident(issuer.pid)
    let connected
    const report = await fanOut(issuer, SUBSCRIBERS, KICKS, () => {
      connected = resident(issuer.pid)
    })
    return { ...report, bytesEach: (connected - before) / SUBSCRIBERS }
  })
}
