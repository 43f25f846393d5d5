import type { AnyVerifier, AuthenticateOptions } from '../../types/guard.js'
import type { PlainTokenError, Verified, WaitUntil } from '../../types/index.js'
import { invalidOption, isTokenError, isTokensFault } from '../errors.js'
import { check, isObject, isText, rule } from '../option-rules.js'
import { scopeInsufficient, tokenMissing, tokenRefused, unavailable, type Refusal } from './refusal.js'

/**
 * The decision about a request. Without a `refusal`, the request is passed on. `auth` is `undefined` if the request has
 * no token.
 */
export type Outcome =
  { readonly auth: Verified | undefined; readonly refusal?: undefined } | { readonly refusal: Refusal }

/**
 * Reads the headers of a request, and decides whether the request is passed on. Names of headers are in lower case. In
 * a Worker, `ctx` is the execution context. A lazy verifier uses `ctx` for its refresh.
 */
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
      // Verifies even after a failed refresh, because `onMissing` decides whether a token is accepted without a list.
      return { auth: verifier.verify(token) }
    } catch (error) {
      if (!isTokenError(error)) throw error
      if (failure) return { refusal: unavailable(failure) }
      return { refusal: isTokensFault(error) ? tokenRefused(error) : unavailable(error) }
    }
  }
}

/** This registered symbol makes the ESM and CommonJS copies of this package use the same property. */
const VERIFIED = Symbol.for('doorlist.verified')

/**
 * Stores the verified token on a request (or a context) for `requireScope`. `requireScope` does not read
 * `request.auth`, because other libraries also write to `request.auth`. If a token of another library had a claim named
 * `payload`, `requireScope` could mistake the claims for the result of a verifier.
 */
export function note(request: object, auth: Verified | undefined): void {
  ;(request as Noted)[VERIFIED] = auth
}

export const noted = (request: object): Verified | undefined => (request as Noted)[VERIFIED]

type Noted = { [VERIFIED]?: Verified | undefined }

/** Returns a function that refuses a request whose token lacks at least one of these scopes. */
export function scopeGuard(scopes: readonly string[]): (auth: Verified | undefined) => Refusal | undefined {
  // RFC 6749 §3.3
  if (scopes.length === 0 || !scopes.every(scope => isText(scope) && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)))
    throw invalidOption('`requireScope` takes at least one scope, each a word without quotes', { option: 'scope' })
  return auth => {
    if (!auth) return tokenMissing()
    const { payload } = auth
    // Only an own property counts: a polluted Object.prototype must not grant scopes.
    const granted = Object.hasOwn(payload, 'scope') ? (payload.scope?.split(' ') ?? []) : []
    return scopes.every(scope => granted.includes(scope)) ? undefined : scopeInsufficient(scopes.join(' '))
  }
}

export function checkVerifier(verifier: unknown): void {
  if (!isObject(verifier) || typeof verifier['verify'] !== 'function')
    throw invalidOption('`verifier` must be a verifier; `connectVerifier` must be awaited', { option: 'verifier' })
}

/** Refreshes a lazy verifier. Any other verifier needs no refresh. Returns the error if the refresh failed. */
export async function refreshed(verifier: AnyVerifier, ctx?: WaitUntil): Promise<PlainTokenError | undefined> {
  try {
    if ('isLazy' in verifier) await verifier.refresh(ctx)
    return undefined
  } catch (error) {
    if (isTokenError(error)) return error
    throw error
  }
}

/**
 * Returns the text after the scheme and after the spaces that follow the scheme (RFC 9110 §11.4 requires a space). If a
 * tab follows the scheme, the result begins with the tab. The verifier refuses this result, because no valid token
 * contains a tab.
 */
function bearer(authorization = ''): string | undefined {
  const [scheme] = /^bearer(?: +|(?=\t)|$)/i.exec(authorization) ?? []
  return scheme === undefined ? undefined : authorization.slice(scheme.length).trimEnd()
}

/** RFC 6265 §5.4: if several cookies have the same name, the most specific cookie comes first. */
function cookieNamed(name: string, cookies: string | undefined): string | undefined {
  const pair = cookies?.split(';').find(pair => pair.trimStart().startsWith(`${name}=`))
  const value = pair?.slice(pair.indexOf('=') + 1).trim()
  return value?.replace(/^"(.*)"$/, '$1') || undefined
}
