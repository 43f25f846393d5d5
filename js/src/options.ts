import type { ConnectOptions, VerifierOptions } from '../types/index.js'
import { invalidOption } from './errors.js'

/** What an option must be, in words that complete "`name` must be …". */
interface Rule {
  readonly mustBe: string
  readonly fits: (value: unknown) => boolean
}

const rule = (mustBe: string, fits: Rule['fits']): Rule => ({ mustBe, fits })
const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const oneOf = (...names: string[]): Rule =>
  rule(names.map(name => `'${name}'`).join(' or '), value => names.includes(value as string))
const wholeNumber = (what: string, most: number): Rule =>
  rule(
    `${what}, from 0 to ${most}`,
    value => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most,
  )

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
  issuer: rule('an http(s) URL without query or fragment: the `iss` of its tokens', isIssuerUrl),
  fetch: rule('a function like the global `fetch`', value => typeof value === 'function'),
  transport: oneOf('auto', 'poll'),
  connectTimeout: seconds,
}

/** The options, or `ERR_OPTIONS_INVALID` in a sentence that says what to change. */
export const checkVerifierOptions = (options: unknown): VerifierOptions =>
  check<VerifierOptions>(options, verifierRules)
export const checkConnectOptions = (options: unknown): ConnectOptions => check<ConnectOptions>(options, connectRules)

function check<Options>(options: unknown, rules: Record<keyof Options & string, Rule>): Options {
  if (!isObject(options)) throw invalidOption('options must be an object with `issuer` and `audience`')
  // Read once, and from here alone: not from getters that change their minds, nor from a polluted Object.prototype.
  const own: Record<string, unknown> = Object.assign(Object.create(null), options)
  for (const [name, value] of Object.entries(own)) {
    if (!Object.hasOwn(rules, name)) throw unknownOption(name, Object.keys(rules))
    const { mustBe, fits } = rules[name as keyof Options & string]
    if (value !== undefined && !fits(value)) throw invalidOption(`\`${name}\` must be ${mustBe}`, { option: name })
  }
  for (const name of ['issuer', 'audience'] as const) {
    if (own[name] !== undefined) continue
    const { mustBe } = (rules as Record<string, Rule>)[name]!
    throw invalidOption(`\`${name}\` is missing: it must be ${mustBe}`, { option: name })
  }
  return own as Options
}

function unknownOption(name: string, known: string[]) {
  const [nearest] = known
    .map(candidate => ({ candidate, edits: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)
  const near = nearest !== undefined && nearest.edits <= Math.max(2, name.length / 3)
  const hint = near ? `did you mean \`${nearest.candidate}\`?` : `known are ${known.join(', ')}`
  return invalidOption(`unknown option \`${name}\`; ${hint}`, { option: name })
}

/** Levenshtein's distance: how many letters to insert, drop or change. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let line = 1; line <= from.length; line++) {
    const next = [line]
    for (let column = 1; column <= to.length; column++) {
      const change = row[column - 1]! + (from[line - 1] === to[column - 1] ? 0 : 1)
      next.push(Math.min(row[column]! + 1, next[column - 1]! + 1, change))
    }
    row = next
  }
  return row[to.length]!
}

function isIssuerUrl(value: unknown): boolean {
  if (!isText(value) || !URL.canParse(value)) return false
  const { protocol } = new URL(value)
  return (protocol === 'https:' || protocol === 'http:') && !/[?#]/.test(value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
