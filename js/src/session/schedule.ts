import type { Host } from '../host.js'
import { elapsed, type AccessToken } from './access-token.js'

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 120_000
/**
 * The minimum number of milliseconds between two requests in an outage. The minimum also applies if events wake the
 * page more often (seen in the field: clerk/javascript#7912).
 */
const COOL_DOWN_MS = 1_000
/**
 * The maximum number of milliseconds of one timer. A timer can stop while the laptop sleeps. So the clocks are read at
 * least this often.
 */
const SLICE_MS = 30_000

/** Decides when to ask the issuer again. */
export interface Schedule {
  /**
   * Milliseconds until the next request. After a failure, this is the time until the next try. Otherwise it is the time
   * until this token must be refreshed, or 0 without a token.
   */
  dueIn(token?: AccessToken): number
  /** Call this method after a success. Plans the next request for the time when this token must be refreshed. */
  plan(token: AccessToken): void
  /**
   * Call this method after a failure. Plans the next try after a random pause, but not before `afterMs` milliseconds
   * have passed. The maximum of the pause doubles with each failure.
   */
  retry(afterMs?: number): void
  /**
   * Call this method when the network may be back. After a failure, the next try is then due as soon as the minimum
   * pause has passed. If the issuer asked for a longer pause, the next try is due after that pause. Returns `dueIn`.
   */
  wake(token?: AccessToken): number
  /** Cancels the planned request, and forgets earlier failures. */
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
      // The maximum of the pause doubles with each failure. The pause is a random time between half of this maximum and
      // the maximum itself. `../back-off.ts` has the same rule.
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
