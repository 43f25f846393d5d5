import type { ListStore } from '../types/index.js'
import { TokenError } from './errors.js'
import { saveIn, written, type Name, type Save } from './saved-format.js'

/** The store failed, or a value in it is not a valid save. */
export class StoreError extends TokenError {
  constructor(message: string, key: string, cause: unknown) {
    super('ERR_STORE_FAILED', message, { key }, { cause })
  }
}

/** The values of one issuer in the store. */
export class SavedValues {
  readonly #store: ListStore
  readonly #issuer: string
  readonly #tell: (error: Error) => void

  constructor(store: ListStore, issuer: string, tell: (error: Error) => void) {
    this.#store = store
    this.#issuer = issuer
    this.#tell = tell
  }

  /** Returns `undefined` if the store has no such value. Rejects if the value is not a valid save. */
  async get(name: Name): Promise<Save | undefined> {
    const value: unknown = await this.#store.get(this.#key(name))
    return value === undefined || value === null ? undefined : saveIn(value, name)
  }

  async set(name: Name, save: Save): Promise<void> {
    await this.#store.set(this.#key(name), written(save))
  }

  /** Reports an error about this value. */
  report(name: Name, what: string, cause: unknown): void {
    const why = cause instanceof Error ? cause.message : String(cause)
    const key = this.#key(name)
    this.#tell(new StoreError(`'${key}' in the store ${what}: ${why}`, key, cause))
  }

  #key(name: Name): string {
    return `doorlist:${this.#issuer}:${name}`
  }
}
