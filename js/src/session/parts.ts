import type { Credentials, SessionOptions, TokenResponse } from '../../types/session.js'
import { moment, type AccessToken } from './access-token.js'
import { inCookie, stored, type Delivery } from './delivery.js'
import { tokenOf } from './exchange.js'
import { isRefusal, issuerOf, type Issuer, type Tokens } from './issuer.js'
import type { Message } from './messages.js'
import { memory, type Platform } from './platform.js'
import { refusedBy, unreachable, wrongLogin } from './refusals.js'
import { signOutsOf, type SignOuts } from './sign-outs.js'
import { tabsOf, type Tabs } from './tabs.js'

/** What a session is made of, by where its refresh token is kept. */
export interface Parts {
  readonly issuer: Issuer
  readonly delivery: Delivery
  readonly signOuts: SignOuts
  readonly tabs: Tabs
  /** Opens a session, under the lock; `undefined` when somebody signed out meanwhile. */
  logIn(how: Credentials | TokenResponse, isCurrent: () => boolean): Promise<AccessToken | undefined>
}

export function partsOf(options: SessionOptions, platform: Platform, hear: (message: Message) => void): Parts {
  const { clientId, storage } = options
  const { host } = platform
  const usesCookie = storage === 'cookie'
  const kept = storage === 'memory' ? memory() : (storage as Exclude<typeof storage, string | undefined>)
  const key = ['doorlist', options.issuer, ...(clientId ? [clientId] : [])].join(':')
  const issuer = issuerOf(options, host)
  const tabs = tabsOf(platform, key, storage !== 'memory', hear)
  const signOuts = signOutsOf(issuer, usesCookie ? platform.notes() : kept, key, host, tabs)
  const delivery = usesCookie ? inCookie(signOuts) : stored(kept, key)

  const ask = async (credentials: Credentials): Promise<Tokens> => {
    const answer = await issuer.login(credentials)
    if (answer.outcome === 'granted') return answer.tokens
    if (answer.outcome === 'over') throw wrongLogin()
    throw isRefusal(answer) ? refusedBy(answer) : unreachable(answer)
  }

  const logIn: Parts['logIn'] = (how, isCurrent) =>
    tabs.locked(async () => {
      if (usesCookie) {
        // The cookie is about to be another session's, which an old sign-out must not end.
        await signOuts.attempt()
        await signOuts.forget('')
      }
      const since = moment(host)
      const tokens = 'access_token' in how ? how : await ask(how)
      const token = tokenOf(tokens, since, host)
      const { refresh_token = '' } = tokens
      if (!token || !refresh_token !== usesCookie) throw refusedBy({ status: 200 })
      if (!isCurrent()) {
        await signOuts.add(refresh_token)
        return undefined
      }
      const leftOver = await delivery.read()
      if (leftOver) await signOuts.add(leftOver)
      await delivery.write(refresh_token)
      return token
    })

  return { issuer, delivery, signOuts, tabs, logIn }
}
