import type { Host } from '../host.js'
import { elapsed, type AccessToken } from './access-token.js'

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 120_000
/** No two requests of an outage are nearer to each other, whatever wakes the page (field: clerk/javascript#7912). */
const COOL_DOWN_MS = 1_000
/** Timers may sleep with the laptop: look again at least so often. */
const SLICE_MS = 30_000

/** When to ask the issuer, again and again. */
export interface Schedule {
  /** Milliseconds until it is time: after a failure to try again, or else to refresh this token. */
  dueIn(token?: AccessToken): number
  /** All is well: acts when it is time to refresh this token. */
  plan(token: AccessToken): void
  /** Acts again, after a pause that doubles, and not before so many milliseconds. */
  retry(afterMs?: number): void
  /** There may be news of the network: what is left of a pause is the cool-down, or what the issuer asked for. `dueIn` after that. */
  wake(token?: AccessToken): number
  /** There is nothing to do. */
  rest(): void
  close(): void
}

export function scheduleOf(host: Host, act: () => unknown): Schedule {
  let failures = 0
  let notBefore = 0
  let retryAt = 0
  let isClosed = false
  let cancel = () => {}

  const dueIn = (token?: AccessToken): number =>
    failures ? retryAt - host.monotonic() : token ? token.dueMs - elapsed(token.since, host) : 0
  const arm = (token?: AccessToken): void => {
    cancel()
    if (isClosed) return
    cancel = host.after(Math.min(dueIn(token), SLICE_MS), () => (dueIn(token) > 0 ? arm(token) : act()))
  }
  const rest = () => {
    cancel()
    failures = 0
  }

  return {
    dueIn,
    plan(token) {
      rest()
      arm(token)
    },
    retry(afterMs = 0) {
      const now = host.monotonic()
      notBefore = now + Math.max(afterMs, COOL_DOWN_MS)
      // As `../back-off.ts` does it: anywhere in the upper half of a pause that doubles.
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** failures++, LONGEST_PAUSE_MS) * (0.5 + 0.5 * host.random())
      retryAt = Math.max(notBefore, now + pauseMs)
      arm()
    },
    wake(token) {
      retryAt = notBefore
      return dueIn(token)
    },
    rest,
    close() {
      isClosed = true
      cancel()
    },
  }
}
