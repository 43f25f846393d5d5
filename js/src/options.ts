import type { ConnectOptions, VerifierOptions } from '../types/index.js'
import { check, isObject, isText, oneOf, parsedUrl, rule, wholeNumber, type Rule } from './rules.js'

/** As in verifier-wasm/src/policy.rs. */
const A_YEAR = 365 * 86_400
const seconds = /* @__PURE__ */ wholeNumber('whole seconds', A_YEAR)

const verifierRules: Record<keyof VerifierOptions, Rule> = {
  issuer: rule('the text that tokens carry as `iss`', isText),
  audience: rule(
    'the `aud` to expect, or a list of them; `null` says that any will do',
    value => value === null || isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText)),
  ),
  jwks: rule('a JSON Web Key Set, `{ keys: [...] }`', isObject),
  clockTolerance: seconds,
  maxStaleness: seconds,
  onStale: oneOf('allow', 'deny'),
  onMissing: oneOf('deny', 'allow'),
  outageGrace: seconds,
  cacheSize: wholeNumber('a whole number', 1_000_000),
}

const connectRules: Record<keyof ConnectOptions, Rule> = {
  ...verifierRules,
  issuer: rule('an http(s) URL without query, fragment, user or password: the `iss` of its tokens', isIssuerUrl),
  fetch: rule('a function like the global `fetch`', value => typeof value === 'function'),
  transport: oneOf('auto', 'poll'),
  connectTimeout: seconds,
  store: rule('an object with the functions `get` and `set`', isStore),
}

/** The options, or `ERR_OPTIONS_INVALID` in a sentence that says what to change. */
export const checkVerifierOptions = (options: unknown): VerifierOptions =>
  check<VerifierOptions>(options, verifierRules, ['issuer', 'audience'])
export const checkConnectOptions = (options: unknown): ConnectOptions =>
  check<ConnectOptions>(options, connectRules, ['issuer', 'audience'])

function isStore(value: unknown): boolean {
  return isObject(value) && typeof value['get'] === 'function' && typeof value['set'] === 'function'
}

function isIssuerUrl(value: unknown): boolean {
  if (!isText(value) || /[?#]/.test(value)) return false
  const { protocol, username, password } = parsedUrl(value) ?? {}
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === ''
}
