import type { AnyVerifier, AuthenticateOptions } from '../../types/guard.js'
import type { PlainTokenError, Verified, WaitUntil } from '../../types/index.js'
import { invalidOption, isTokenError, isTokensFault } from '../errors.js'
import { check, isObject, isText, rule } from '../rules.js'
import { scopeInsufficient, tokenMissing, tokenRefused, unavailable, type Refusal } from './refusal.js'

/** What becomes of a request: it goes on, with a token where there is one, or is answered here. */
export type Outcome =
  { readonly auth: Verified | undefined; readonly refusal?: undefined } | { readonly refusal: Refusal }

/** Looks at a request by its headers (their names in lower case); `ctx` is what a Worker refreshes through. */
export type Guard = (header: (name: string) => string | undefined, ctx?: WaitUntil) => Promise<Outcome>

const rules = {
  cookie: rule('the name of a cookie', value => isText(value) && /^[\w!#$%&'*+.^`|~-]+$/.test(value)),
  optional: rule('true or false', value => typeof value === 'boolean'),
}

export function guard(verifier: AnyVerifier, options: AuthenticateOptions = {}): Guard {
  checkVerifier(verifier)
  const { cookie, optional } = check<AuthenticateOptions>(options, rules)
  return async (header, ctx) => {
    const token = bearer(header('authorization')) ?? (cookie && cookieNamed(cookie, header('cookie')))
    if (token === undefined) return optional ? { auth: undefined } : { refusal: tokenMissing() }
    const failure = await refreshed(verifier, ctx)
    try {
      // Even so: what goes without a list is for `onMissing` to say.
      return { auth: verifier.verify(token) }
    } catch (error) {
      if (!isTokenError(error)) throw error
      if (failure) return { refusal: unavailable(failure) }
      return { refusal: isTokensFault(error) ? tokenRefused(error) : unavailable(error) }
    }
  }
}

/** Registered, so that the ESM and the CommonJS copy of this package find the same property. */
const VERIFIED = Symbol.for('doorlist.verified')

/**
 * Notes on a request (or a context) what was verified, for `requireScope`. It is not read from `request.auth`: other libraries write
 * there too, and a claim named `payload` in a token of theirs could pass for the answer of a verifier.
 */
export function note(request: object, auth: Verified | undefined): void {
  ;(request as Noted)[VERIFIED] = auth
}

export const noted = (request: object): Verified | undefined => (request as Noted)[VERIFIED]

type Noted = { [VERIFIED]?: Verified | undefined }

/** Why a request with this token may not do what these scopes are needed for. */
export function scopeGuard(scopes: readonly string[]): (auth: Verified | undefined) => Refusal | undefined {
  // RFC 6749 §3.3
  if (scopes.length === 0 || !scopes.every(scope => isText(scope) && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)))
    throw invalidOption('`requireScope` takes at least one scope, each a word without quotes', { option: 'scope' })
  return auth => {
    if (!auth) return tokenMissing()
    const { payload } = auth
    // Its own: not what a polluted Object.prototype grants to everybody.
    const granted = Object.hasOwn(payload, 'scope') ? (payload.scope?.split(' ') ?? []) : []
    return scopes.every(scope => granted.includes(scope)) ? undefined : scopeInsufficient(scopes.join(' '))
  }
}

export function checkVerifier(verifier: unknown): void {
  if (!isObject(verifier) || typeof verifier['verify'] !== 'function')
    throw invalidOption('`verifier` must be a verifier; `connectVerifier` is to be awaited', { option: 'verifier' })
}

/** A lazy verifier is refreshed in each request; a connected one follows by itself. Returns the error if the refresh failed. */
export async function refreshed(verifier: AnyVerifier, ctx?: WaitUntil): Promise<PlainTokenError | undefined> {
  try {
    if ('isLazy' in verifier) await verifier.refresh(ctx)
    return undefined
  } catch (error) {
    if (isTokenError(error)) return error
    throw error
  }
}

/** What follows the scheme, whatever it is: RFC 9110 §11.4 wants spaces there, and a tab is one more thing no token has. */
function bearer(authorization = ''): string | undefined {
  const [scheme] = /^bearer(?: +|(?=\t)|$)/i.exec(authorization) ?? []
  return scheme === undefined ? undefined : authorization.slice(scheme.length).trimEnd()
}

/** RFC 6265 §5.4: the most specific of several with one name comes first. */
function cookieNamed(name: string, cookies: string | undefined): string | undefined {
  const pair = cookies?.split(';').find(pair => pair.trimStart().startsWith(`${name}=`))
  const value = pair?.slice(pair.indexOf('=') + 1).trim()
  return value?.replace(/^"(.*)"$/, '$1') || undefined
}
