import type { LocalVerifier } from './verifier.js'

/**
 * A verifier that gets a successor if a call into the module is interrupted. The successor trusts the same keys and has
 * to load a list again. Until the successor has loaded a list, the interrupted verifier remains in use, and
 * refuses every query, independent of `onMissing`.
 */
export class ReplaceableVerifier {
  readonly #make: () => LocalVerifier
  #newest: LocalVerifier
  #serving: LocalVerifier
  /** The trusted and dropped keys of the newest verifier. A successor gets the same keys. */
  #trust: string | undefined

  constructor(make: () => LocalVerifier) {
    this.#make = make
    this.#newest = this.#serving = make()
  }

  /** The verifier that checks tokens now. */
  get serving(): LocalVerifier {
    return this.#serving
  }

  /** The verifier that loads lists. If the newest verifier was interrupted, this getter creates a successor. */
  get loading(): LocalVerifier {
    if (this.#newest.isInterrupted) this.#newest = this.successor()
    return this.#newest
  }

  get holdsList(): boolean {
    return this.loading.status().asOf !== null
  }

  /** Creates a verifier that trusts the keys that the newest verifier trusted. */
  successor(): LocalVerifier {
    const made = this.#make()
    if (this.#trust !== undefined) made.restoreTrust(this.#trust)
    return made
  }

  addJwks(jwks: string): void {
    this.loading.addJwks(jwks)
    this.#trust = this.loading.trust()
  }

  /**
   * Call this method when this verifier was restored from the store. From now on the verifier loads lists, and also
   * answers queries. There is one exception: if the verifier holds no list and the verifier in use was interrupted, the
   * interrupted verifier remains in use.
   */
  restored(local: LocalVerifier): void {
    this.#newest = local
    this.#trust = local.trust()
    if (this.holdsList || !this.#serving.isInterrupted) this.#serving = this.#newest
  }

  /**
   * Call this method when this verifier has loaded a list. From now on the verifier answers queries. Returns its
   * trusted and dropped keys.
   */
  loaded(local: LocalVerifier): string {
    this.#serving = this.#newest = local
    return (this.#trust = local.trust())
  }

  /** Frees all memory. */
  close(): void {
    for (const local of [this.#newest, this.#serving]) local.close()
  }
}
