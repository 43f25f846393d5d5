/**
 * The members of a TokenError or SessionError that `toJSON` keeps. `isTokenError` and `isSessionError` need only these.
 */
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
 * Whether a value is an error with this name, or the plain form of such an error. The value can come from any realm.
 * Never throws, even if a getter or a proxy throws.
 */
export function isPlain(value: unknown, name: string, isCode: (code: string) => boolean): boolean {
  // Only own members count: a polluted Object.prototype must not add members.
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
