import type { SessionVerifier } from '../../types/session.js'
import type { Host } from '../host.js'
import type { AccessToken } from './access-token.js'
import { scheduleOf } from './schedule.js'
import type { Tabs } from './tabs.js'

/** Asks a verifier about the page's own token whenever a list brings something. */
export interface Watch {
  check(): void
  close(): void
}

/** The application has no promise that could reject: its console is told. */
const report = (error: unknown) => console.error(error)
const codeOf = (error: unknown) => (error as { code?: unknown }).code

/** A verifier that is there already is the application's; one that has to be made is made in the leading tab, and closed. */
export function watch(
  given: SessionVerifier | (() => Promise<SessionVerifier>) | undefined,
  tabs: Tabs,
  host: Host,
  held: () => AccessToken | undefined,
  revoked: (token: AccessToken) => void,
): Watch {
  let verifier: SessionVerifier | undefined
  let isClosed = false
  let stop = () => {}
  const again = scheduleOf(host, () => void make())

  const check = () => {
    const token = held()
    try {
      if (token) verifier?.assertNotRevoked(token.claims)
    } catch (error) {
      if (codeOf(error) === 'ERR_JWT_REVOKED') revoked(token!)
      // A list that is missing or stale is no news of this session; what has no code is a mistake.
      else if (!codeOf(error)) report(error)
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
    } catch (error) {
      // An outage is no news; every other reason is for the application to mend.
      if (codeOf(error) !== 'ERR_LIST_MISSING') report(error)
      again.retry()
    }
  }
  if (typeof given === 'function') tabs.lead(() => void make())
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
