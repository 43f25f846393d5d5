interface Platform {
  readonly Uint8Array: { fromBase64?(text: string): Uint8Array<ArrayBuffer> }
  /**
   * Node, Deno and Bun have `Buffer`. The code reads `Buffer` from the global object, so that no bundler adds a
   * polyfill.
   */
  readonly Buffer?: { from(text: string, encoding: 'base64'): Uint8Array<ArrayBuffer> }
}

/**
 * Decodes base64. Uses the platform's own decoder if the platform has one, because decoding one character at a time
 * would take longer than all other steps of the start together.
 */
export function decoded(base64: string): Uint8Array<ArrayBuffer> {
  const { Uint8Array: Bytes, Buffer } = globalThis as unknown as Platform
  if (typeof Bytes.fromBase64 === 'function') return Bytes.fromBase64(base64)
  if (typeof Buffer?.from === 'function') return Buffer.from(base64, 'base64')
  const characters = atob(base64)
  const bytes = new Uint8Array(characters.length)
  for (let index = 0; index < bytes.length; index++) bytes[index] = characters.charCodeAt(index)
  return bytes
}
