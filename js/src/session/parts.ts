import type { Credentials, TokenResponse } from '../../types/session.js'
import { moment, type AccessToken } from './access-token.js'
import { inCookie, stored, type Delivery } from './delivery.js'
import { SessionError } from './errors.js'
import { tokenOf } from './exchange.js'
import { isRefusal, issuerOf, type Issuer, type Tokens } from './issuer.js'
import type { Message } from './messages.js'
import type { Settings } from './options.js'
import { memory, type Platform } from './platform.js'
import { refusedBy, unreachable } from './refusals.js'
import { signOutsOf, type SignOuts } from './sign-outs.js'
import { tabsOf, type Tabs } from './tabs.js'

/** The parts of a session, depending on where its refresh token is kept. */
export interface Parts {
  readonly issuer: Issuer
  readonly delivery: Delivery
  readonly signOuts: SignOuts
  readonly tabs: Tabs
  /**
   * Opens a session under the lock. If another session was open before, signs out of that session. If the user signed
   * out meanwhile, signs out of the new session instead. `held` returns the `sid` of the session that the page already
   * has.
   */
  logIn(
    how: Credentials | TokenResponse,
    held: () => string | undefined,
    isCurrent: () => boolean,
  ): Promise<AccessToken>
}

export function partsOf(options: Settings, platform: Platform, hear: (message: Message) => void): Parts {
  const { clientId, storage } = options
  const { host } = platform
  const usesCookie = storage === 'cookie'
  const kept = storage === 'memory' ? memory() : (storage as Exclude<typeof storage, string>)
  // The `#` is a safe separator, because an issuer's URL contains no `#`.
  const key = `doorlist:${options.issuer}` + (clientId ? `#${clientId}` : '')
  const issuer = issuerOf(options, host)
  const tabs = tabsOf(platform, key, storage !== 'memory', hear)
  const signOuts = signOutsOf(issuer, usesCookie ? platform.notes() : kept, key, host, tabs)
  const delivery = usesCookie ? inCookie(signOuts) : stored(kept, key)

  const opened = async (how: Credentials | TokenResponse): Promise<Tokens> => {
    if ('access_token' in how) return how
    const answer = await issuer.login(how)
    switch (answer.type) {
      case 'granted':
        return answer.tokens
      case 'over':
        throw new SessionError('ERR_LOGIN_REFUSED', 'unknown username or wrong password')
      case 'later':
        throw (isRefusal(answer) ? refusedBy : unreachable)(answer)
    }
  }

  const logIn: Parts['logIn'] = (how, held, isCurrent) =>
    tabs.locked(async () => {
      const since = moment(host)
      const tokens = await opened(how)
      const token = tokenOf(tokens, since, host)
      const { refresh_token = '' } = tokens
      if (!token || !refresh_token !== usesCookie) throw refusedBy({ status: 200 })
      // The cookie now belongs to the new session. An earlier sign-out that is still pending must not be sent, because
      // it would end the new session. The login has already ended the earlier session.
      if (usesCookie) await signOuts.forget('')
      if (!isCurrent()) await signOuts.add(refresh_token)
      else {
        const leftOver = await delivery.read()
        if (leftOver && held() !== token.claims.sid) await signOuts.add(leftOver)
        await delivery.write(refresh_token)
      }
      return token
    })

  return { issuer, delivery, signOuts, tabs, logIn }
}
