import type { SessionOptions } from '../../types/session.js'
import { spelling } from '../issuer-rule.js'
import { isText } from '../option-rules.js'
import { SessionError } from './errors.js'

/** The options. `fetch` and `storage` are always set, because several parts need them. */
export type Settings = SessionOptions & Required<Pick<SessionOptions, 'fetch' | 'storage'>>

/**
 * For each option, a function that returns whether a value is valid. If the function throws, the value is not valid.
 * This file does not use `../option-rules.ts`, because its texts would make the session code of a page a tenth larger.
 */
const rules: Record<keyof SessionOptions, (value: any) => unknown> = {
  issuer: value => spelling(value) === value,
  clientId: isText,
  storage: value => value === 'cookie' || value === 'memory' || hasAll(value, 'get', 'set', 'delete'),
  origins: value => value.length && [...value].every((origin: string) => new URL(origin).origin === origin),
  verifier: value => isFunction(value) || hasAll(value, 'assertNotRevoked', 'on', 'close'),
  fetch: isFunction,
}

/**
 * Returns the options. Throws `ERR_OPTIONS_INVALID` for the first option that is unknown or has an invalid value, as
 * `types/session.d.ts` describes.
 */
export function checkOptions(options: unknown): SessionOptions {
  const own: Record<string, unknown> = { issuer: '', ...Object(options) }
  for (const [option, value] of Object.entries(own)) {
    try {
      if (
        Object.hasOwn(rules, option) &&
        (value === undefined ? option !== 'issuer' : rules[option as keyof SessionOptions](value))
      )
        continue
    } catch {
      // A value for which the function throws is not valid.
    }
    const better = option === 'issuer' && spelling(value)
    const hint = better ? `; write ${better}` : ''
    throw new SessionError('ERR_OPTIONS_INVALID', `option \`${option}\` is invalid${hint}`, { option })
  }
  return own as unknown as SessionOptions
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

function hasAll(value: any, ...names: string[]): boolean {
  return names.every(name => isFunction(value[name]))
}
