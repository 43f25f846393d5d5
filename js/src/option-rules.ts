import { invalidOption } from './errors.js'

/** The rule for one option. `mustBe` is a text that completes "`name` must be …". */
export interface Rule {
  readonly mustBe: string
  readonly fits: (value: unknown) => boolean
  /** Returns the value to suggest when a value is invalid, or `undefined` if no suggestion is known. */
  readonly instead?: ((value: unknown) => string | undefined) | undefined
}

export const rule = (mustBe: string, fits: Rule['fits'], instead?: Rule['instead']): Rule => ({ mustBe, fits, instead })
export const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
/** Many supported platforms lack `URL.canParse`, so the constructor is used. */
export function parsedUrl(text: unknown): URL | undefined {
  try {
    return new URL(text as string)
  } catch {
    return undefined
  }
}
export const oneOf = (...names: string[]): Rule =>
  rule(names.map(name => `'${name}'`).join(' or '), value => names.includes(value as string))
export const wholeNumber = (what: string, most: number, least = 0): Rule =>
  rule(
    `${what}, from ${least} to ${most}`,
    value => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most,
  )

/** Returns the options, or throws `ERR_OPTIONS_INVALID` with a message that says what to change. */
export function check<Options>(
  options: unknown,
  rules: Record<keyof Options & string, Rule>,
  mandatory: readonly (keyof Options & string)[] = [],
): Options {
  const needed = mandatory.length === 0 ? '' : ` with ${mandatory.map(name => `\`${name}\``).join(' and ')}`
  if (!isObject(options)) throw invalidOption(`options must be an object${needed}`)
  // Copies the own properties, and reads each of them once. There are two reasons: Object.prototype can be polluted,
  // and a getter can return another value at the next call.
  const own: Record<string, unknown> = Object.assign(Object.create(null), options)
  for (const [name, value] of Object.entries(own)) {
    if (!Object.hasOwn(rules, name)) throw unknownOption(name, Object.keys(rules))
    const { mustBe, fits, instead } = rules[name as keyof Options & string]
    if (value !== undefined && !fits(value)) {
      const better = instead?.(value)
      const hint = better === undefined ? '' : `; write ${better}`
      throw invalidOption(`\`${name}\` must be ${mustBe}${hint}`, { option: name })
    }
  }
  for (const name of mandatory) {
    if (own[name] === undefined)
      throw invalidOption(`\`${name}\` is missing: it must be ${rules[name].mustBe}`, { option: name })
  }
  return own as Options
}

function unknownOption(name: string, known: string[]) {
  const [nearest] = known
    .map(candidate => ({ candidate, edits: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)
  const near = nearest !== undefined && nearest.edits <= Math.max(2, name.length / 3)
  const hint = near ? `did you mean \`${nearest.candidate}\`?` : `the options are ${known.join(', ')}`
  return invalidOption(`unknown option \`${name}\`; ${hint}`, { option: name })
}

/** Returns the Levenshtein distance: the number of letters to insert, remove or change to turn `from` into `to`. */
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

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
