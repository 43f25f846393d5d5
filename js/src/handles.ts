import type { Change, Loaded } from '../types/index.js'
import { decoded } from './base64.js'

/** FORMAT.md §4: the number of bytes of each field: the block, the count minus one, and a position. */
const [BLOCK, COUNT, POSITION] = [6, 2, 2]

/**
 * Returns the handles in a list, in the form that tokens use. This function checks nothing. So the caller must pass
 * only a list that the verifier has accepted.
 */
export function handlesIn(list: string): string[] {
  const [, payload = ''] = list.split('.')
  const { revoked } = JSON.parse(new TextDecoder().decode(bytesOf(payload))) as { revoked: string }
  const bytes = bytesOf(revoked)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const handles: string[] = []
  let at = 0
  while (at < bytes.length) {
    const block = hex(view.getUint32(at), 8) + hex(view.getUint16(at + 4), 4)
    const first = at + BLOCK + COUNT
    at = first + (view.getUint16(at + BLOCK) + 1) * POSITION
    for (let place = first; place < at; place += POSITION) handles.push(block + hex(view.getUint16(place), 4))
  }
  return handles
}

/** Returns the change that this list brought. The handles are decoded when `revoked` is first read. */
export function changeBy(list: string, loaded: Loaded): Change {
  let handles: string[] | undefined
  return {
    ...loaded,
    get revoked() {
      return (handles ??= handlesIn(list))
    },
  }
}

const bytesOf = (base64url: string) => decoded(base64url.replaceAll('-', '+').replaceAll('_', '/'))
const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0')
