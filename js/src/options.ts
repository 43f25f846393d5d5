import type { ConnectOptions, VerifierOptions } from '../types/index.js'
import { issuerUrl } from './issuer-rule.js'
import { mustHave } from './missing.js'
import { check, isObject, isText, oneOf, rule, wholeNumber, type Rule } from './option-rules.js'

/** verifier-wasm/src/policy.rs has the same limit. */
const A_YEAR = 365 * 86_400
const seconds = /* @__PURE__ */ wholeNumber('whole seconds', A_YEAR)

const verifierRules: Record<keyof VerifierOptions, Rule> = {
  issuer: rule('a text: the `iss` of its tokens', isText),
  audience: rule(
    'the `aud` to expect, or a list of them; `null` accepts any audience',
    value =>
      value === null || isText(value) || (Array.isArray(value) && value.length > 0 && Array.from(value).every(isText)),
  ),
  jwks: rule('a JSON Web Key Set, `{ keys: [...] }`, with at least one Ed25519 key for signatures', isKeySet),
  clockTolerance: seconds,
  maxStaleness: seconds,
  onStale: oneOf('allow', 'deny'),
  onMissing: oneOf('deny', 'allow'),
  outageGrace: seconds,
  cacheSize: wholeNumber('a whole number', 1_000_000),
}

const connectRules: Record<keyof ConnectOptions, Rule> = {
  ...verifierRules,
  issuer: issuerUrl,
  fetch: rule('a function like the global `fetch`', value => typeof value === 'function'),
  transport: oneOf('auto', 'poll'),
  connectTimeout: wholeNumber('whole seconds', A_YEAR, 1),
  store: rule('an object with the functions `get` and `set`', isStore),
}

/** Returns the options, or throws `ERR_OPTIONS_INVALID` with a message that says what to change. */
export const checkVerifierOptions = (options: unknown): VerifierOptions =>
  check<VerifierOptions>(options, verifierRules, ['issuer', 'audience'])
export function checkConnectOptions(options: unknown): ConnectOptions {
  mustHave('URL')
  return check<ConnectOptions>(options, connectRules, ['issuer', 'audience'])
}

/**
 * Whether a key set contains at least one usable key (FORMAT.md §2). A set without a usable key has no effect, although
 * it seems to pin the keys. This check does not refuse an object without an array `keys`, or a set with a malformed
 * key. The module itself refuses both.
 */
function isKeySet(value: unknown): boolean {
  if (!isObject(value)) return false
  const { keys } = { __proto__: null, ...value } as { keys?: unknown }
  return !Array.isArray(keys) || keys.some(key => !isObject(key) || counts(key))
}

const counts = ({ kty, crv, alg = 'EdDSA', use = 'sig' }: Record<string, unknown>) =>
  kty === 'OKP' && crv === 'Ed25519' && (alg === 'EdDSA' || alg === 'Ed25519') && use === 'sig'

function isStore(value: unknown): boolean {
  return isObject(value) && typeof value['get'] === 'function' && typeof value['set'] === 'function'
}
