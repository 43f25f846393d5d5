/** The members of a TokenError or SessionError that `toJSON` keeps. They are enough to recognise such an error. */
export interface Plain<Name extends string, Code extends string> {
  readonly name: Name
  readonly code: Code
  readonly message: string
  readonly evidence: Readonly<Record<string, unknown>>
}

/** Leaves out `stack` and `cause`, which JSON cannot keep. */
export const plainOf = <Name extends string, Code extends string>({
  name,
  code,
  message,
  evidence,
}: Plain<Name, Code>): Plain<Name, Code> => ({ name, code, message, evidence })

/**
 * Whether a value, of any realm, is an error with this name or the plain form of one. Never throws, even if getters or
 * proxies throw.
 */
export function isPlain(value: unknown, name: string, isCode: (code: string) => boolean): boolean {
  // Reads own members only, so that members of a polluted Object.prototype do not count.
  const own = (member: string): unknown => Object.getOwnPropertyDescriptor(value, member)?.value
  try {
    return (
      own('name') === name &&
      typeof own('code') === 'string' &&
      isCode(own('code') as string) &&
      typeof own('message') === 'string' &&
      Object(own('evidence')) === own('evidence')
    )
  } catch {
    return false
  }
}
