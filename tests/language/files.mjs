// The files of this clone, without built and installed files. This also works without git.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const CLONE = fileURLToPath(new URL('../..', import.meta.url))
const NOT_OURS = /^(\..*|node_modules|target|dist|wasm)$/

/** Returns the paths of all files below a folder. The folder and the paths are relative to the clone. */
export function filesIn(folder) {
  return readdirSync(join(CLONE, folder), { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return NOT_OURS.test(entry.name) ? [] : filesIn(path)
    return [path]
  })
}
