import type { Host } from '../host.js'
import { dueIn, type AccessToken } from './access-token.js'

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 120_000
/** No two requests of an outage are nearer to each other, whoever asks for them (field: clerk/javascript#7912). */
const COOL_DOWN_MS = 1_000
/** Timers may sleep with the laptop: look again at least so often. */
const SLICE_MS = 30_000

/** When to ask the issuer, again and again. */
export interface Schedule {
  /** Whether the issuer is to be left alone. */
  rests(): boolean
  /** Milliseconds until it is time: to refresh, or after a failure to try again. */
  dueIn(token?: AccessToken): number
  failed(retryAfterMs: number): void
  succeeded(): void
  /** Acts when it is time. */
  plan(token?: AccessToken): void
  close(): void
}

export function scheduleOf(host: Host, act: () => void): Schedule {
  let failures = 0
  let notBefore = 0
  let retryAt: number | undefined
  let isClosed = false
  let cancel = () => {}

  const due = (token?: AccessToken): number =>
    Math.max(token ? dueIn(token, host) : 0, retryAt === undefined ? -Infinity : retryAt - host.monotonic())
  const plan = (token?: AccessToken): void => {
    cancel()
    if (isClosed) return
    const ms = Math.min(Math.max(due(token), 0), SLICE_MS)
    cancel = host.after(ms, () => (due(token) > 0 ? plan(token) : act()))
  }

  return {
    rests: () => host.monotonic() < notBefore,
    dueIn: due,
    failed(retryAfterMs) {
      notBefore = host.monotonic() + Math.max(retryAfterMs, COOL_DOWN_MS)
      // As `../back-off.ts` does it: anywhere in the upper half of a pause that doubles.
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** failures++, LONGEST_PAUSE_MS) * (0.5 + 0.5 * host.random())
      retryAt = Math.max(notBefore, host.monotonic() + pauseMs)
    },
    succeeded() {
      cancel()
      failures = notBefore = 0
      retryAt = undefined
    },
    plan,
    close() {
      isClosed = true
      cancel()
    },
  }
}
