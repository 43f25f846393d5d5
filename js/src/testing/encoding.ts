/** Encodes as base64url without padding, as JWTs require. */
export function base64url(bytes: Uint8Array): string {
  let characters = ''
  for (const byte of bytes) characters += String.fromCharCode(byte)
  return btoa(characters).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

export function textOf(encoded: string): string {
  const characters = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'))
  return new TextDecoder().decode(Uint8Array.from(characters, character => character.charCodeAt(0)))
}

/**
 * FORMAT.md §4: one group for each block, in ascending order. A group has the block (6 bytes), the count − 1 (2 bytes)
 * and the positions (2 bytes each).
 */
export function encodeHandles(handles: readonly string[]): string {
  const blocks = new Map<string, string[]>()
  for (const handle of [...new Set(handles)].sort()) {
    const [block, position] = [handle.slice(0, 12), handle.slice(12)]
    blocks.set(block, [...(blocks.get(block) ?? []), position])
  }
  const groups = [...blocks].map(([block, positions]) => {
    const count = (positions.length - 1).toString(16).padStart(4, '0')
    return block + count + positions.join('')
  })
  const bytes = groups.join('').match(/../g) ?? []
  return base64url(Uint8Array.from(bytes, byte => Number.parseInt(byte, 16)))
}
