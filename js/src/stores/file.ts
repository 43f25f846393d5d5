import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { invalidOption } from '../errors.js'
import { isText } from '../option-rules.js'
import type { fileStore as FileStore } from '../../types/file-store.js'

/** The maximum number of bytes of a valid value. A larger file is not read. */
const MAX_BYTES = 64 * 1024 * 1024
/** An unfinished file that is older than this many milliseconds is left over from a crash. */
const LEFT_OVER_MS = 3_600_000
const UNFINISHED = '.unfinished'

export const fileStore: typeof FileStore = folder => {
  if (!isText(folder)) throw invalidOption('`folder` must be the path of a folder', { option: 'folder' })
  return files(folder)
}

const files: typeof FileStore = folder => ({
  async get(key) {
    const path = join(folder, fileName(key))
    try {
      const { size } = await stat(path)
      if (size > MAX_BYTES) throw new RangeError(`${path} has ${size} bytes; at most ${MAX_BYTES} are allowed`)
      return await readFile(path, 'utf8')
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  },
  async set(key, value) {
    const name = fileName(key)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await removeLeftOvers(folder, name)
    const unfinished = join(folder, `${name}.${randomUUID()}${UNFINISHED}`)
    try {
      // The flag `wx` creates a new file, so no other process has this file open. The new file is completely on the
      // disk before it replaces the old file.
      const file = await open(unfinished, 'wx', 0o600)
      try {
        await file.writeFile(value)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(unfinished, join(folder, name))
    } catch (error) {
      await rm(unfinished, { force: true })
      throw error
    }
  },
})

/**
 * Returns a readable part of the key, followed by a hash of the key. The hash makes the name unique, even on a file
 * system that ignores the case of letters.
 */
function fileName(key: string): string {
  const readable = key.replace(/[^a-z0-9.]+/gi, '-').slice(0, 100)
  return `${readable}-${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`
}

async function removeLeftOvers(folder: string, name: string): Promise<void> {
  for (const found of await readdir(folder)) {
    if (!found.startsWith(`${name}.`) || !found.endsWith(UNFINISHED)) continue
    const path = join(folder, found)
    try {
      if (Date.now() - (await stat(path)).mtimeMs > LEFT_OVER_MS) await rm(path)
    } catch (error) {
      // If the file is missing, another process has already removed it.
      if (!isMissing(error)) throw error
    }
  }
}

const isMissing = (error: unknown) => (error as { code?: unknown }).code === 'ENOENT'
