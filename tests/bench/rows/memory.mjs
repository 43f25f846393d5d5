// Measures the resident memory of an idle issuer with 100,000 sessions and 10,000 live entries.
import { adminLoad, resident, withIssuer } from '../lib/issuer.mjs'

const SESSIONS = 100_000
const ENTRIES = 10_000

export function idleMemory() {
  return withIssuer([], async issuer => {
    const empty = resident(issuer.pid)
    const opened = await adminLoad('sessions', issuer, 0, SESSIONS + ENTRIES)
    await adminLoad('kicks', issuer, SESSIONS, ENTRIES)
    const afterLoad = resident(issuer.pid)
    await issuer.stop()
    await issuer.start()
    const list = await (await fetch(`${issuer.url}/revocations`)).text()
    return {
      empty,
      afterLoad,
      restarted: resident(issuer.pid),
      openedPerSecond: opened.per_second,
      listLength: list.length,
    }
  })
}
