/** What is left of a TokenError or SessionError after `toJSON`, and enough to recognise one by. */
export interface Plain<Name extends string, Code extends string> {
  readonly name: Name
  readonly code: Code
  readonly message: string
  readonly evidence: Readonly<Record<string, unknown>>
}

/** Without `stack` and `cause`, which no JSON keeps. */
export const plainOf = <Name extends string, Code extends string>({
  name,
  code,
  message,
  evidence,
}: Plain<Name, Code>): Plain<Name, Code> => ({ name, code, message, evidence })

/** Whether a value of any realm is such an error or its plain form. Never throws, whatever getters or proxies do. */
export function isPlain(value: unknown, name: string, isCode: (code: string) => boolean): boolean {
  // Own members alone: a polluted Object.prototype makes no error.
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
