import type { SessionVerifier } from '../../types/session.js'
import type { Host } from '../host.js'
import type { AccessToken } from './access-token.js'
import { scheduleOf } from './schedule.js'
import type { Tabs } from './tabs.js'

/** Uses a verifier to check the page's own token each time a list changes something. */
export interface Watch {
  check(): void
  close(): void
}

/**
 * The application passes a verifier or a function. This code does not close a verifier that the application passed. A
 * function is called in the leading tab, and creates a verifier. This code closes the created verifier.
 */
export function watch(
  given: SessionVerifier | (() => Promise<SessionVerifier>) | undefined,
  tabs: Tabs,
  host: Host,
  held: () => AccessToken | undefined,
  revoked: () => void,
): Watch {
  let verifier: SessionVerifier | undefined
  let isClosed = false
  let stop = () => {}

  const check = () => {
    const token = held()
    try {
      if (token) verifier?.assertNotRevoked(token.claims)
    } catch (error: any) {
      if (error.code === 'ERR_JWT_REVOKED') revoked()
      // If the list is missing or stale, it is not known whether the session ended. An error without a code is a bug.
      else if (!error.code) console.error(error)
    }
  }
  const listen = (to: SessionVerifier, close?: () => void) => {
    verifier = to
    const off = to.on('change', check)
    stop = () => {
      off()
      close?.()
    }
    check()
  }
  const make = async () => {
    if (isClosed) return
    try {
      const made = await (given as () => Promise<SessionVerifier>)()
      if (isClosed) return made.close()
      listen(made, () => made.close())
    } catch (error: any) {
      // An outage ends without a change of the program, so an outage is not reported. Every other error needs a change.
      if (error.code !== 'ERR_LIST_MISSING') console.error(error)
      again.retry()
    }
  }
  const again = scheduleOf(host, make)
  if (typeof given === 'function') tabs.lead(make)
  else if (given) listen(given)

  return {
    check,
    close() {
      isClosed = true
      again.close()
      stop()
    },
  }
}
