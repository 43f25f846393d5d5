import type { Code, Loaded, Status, VerifierOptions } from '../types/index.js'
import type { WasmSource } from '../types/slim.js'
import { createGlue } from '../wasm/glue.js'
import { TokenError, closedVerifier } from './errors.js'
import { messageOf } from './messages.js'
import { mustHave } from './missing.js'
import { unavailable } from './unavailable.js'

// The only file that knows wasm-bindgen. What crosses: strings, numbers, one options object; errors as plain objects.

/**
 * What `verifier-wasm/src/bindings.rs` exports, and its inbox. Times are wall-clock seconds and monotonic milliseconds.
 * Throws TokenErrors alone.
 */
export interface WasmVerifier {
  /** Whether a call never came to its end. Every other then throws `ERR_WASM_UNAVAILABLE`. */
  readonly isInterrupted: boolean
  addJwks(jwks: string): void
  /** The trusted keys and the names of the dropped ones, as JSON. */
  trust(): string
  restoreTrust(saved: string): void
  load(list: string, wallSeconds: number, monotonicMs: number): Loaded
  /** The whole answer as JSON text. */
  verify(token: string, wallSeconds: number, monotonicMs: number): string
  /** Remembers what `verify` accepted last. Its slot: what is kept of an older token of that slot must be replaced. */
  remember(): number | undefined
  /** The slot of this very token, when it is remembered and as good as it was. */
  verifyAgain(token: string, wallSeconds: number, monotonicMs: number): number | undefined
  /** Asks about a token that somebody else verified, by its claims as JSON text; `standing` has the answer. */
  checkVetted(claims: string, wallSeconds: number, monotonicMs: number): void
  /**
   * What `verifyAgain` or `checkVetted` said last: as-of of the list in seconds, its age in seconds, 1 when it is stale, 1 in an outage. The
   * first two are NaN without a list.
   */
  readonly standing: Float64Array
  status(wallSeconds: number, monotonicMs: number): Status
  /** Frees its memory in the module. From then on it throws `ERR_VERIFIER_CLOSED`. A second call does nothing. */
  close(): void
}

/** The class of the glue, which throws plain objects. It gets a token as bytes in the inbox, which costs the least. */
export interface GlueVerifier extends Omit<WasmVerifier, 'isInterrupted' | 'verifyAgain' | 'standing' | 'close'> {
  verifyInbox(length: number, wallSeconds: number, monotonicMs: number): number | undefined
  free(): void
}

/** What the build makes of wasm-bindgen's module. */
export interface Glue {
  __wbg_set_wasm(exports: WebAssembly.Exports): void
  readonly Verifier: new (options: object) => GlueVerifier
  /** The address of {@link MAX_TOKEN_LENGTH} bytes. */
  inbox(): number
  /** The address of four numbers. */
  standing(): number
}

/** FORMAT.md: a token has at most this many characters, each of them ASCII. The module's inbox has as many bytes. */
export const MAX_TOKEN_LENGTH = 8192

/** Makes verifiers of one module, which is compiled when the first is made. */
export type Instantiate = (options: VerifierOptions) => WasmVerifier

/** Compiles `source` when the first verifier is made, and again when what was made of it was interrupted. */
export function lazily(source: WasmSource): Instantiate {
  let instance: Instance | undefined
  return options => {
    // The module refuses a member that is present without a value, and would read one that is inherited.
    const given = Object.create(null) as Record<string, unknown>
    for (const [name, value] of Object.entries(options)) if (value !== undefined) given[name] = value
    if (typeof options.audience === 'string') given['audience'] = [options.audience]
    if (instance === undefined || instance.isInterrupted) instance = instantiate(source)
    return new BoundVerifier(instance, given)
  }
}

function instantiate(source: WasmSource): Instance {
  mustHave('TextDecoder', 'TextEncoder', 'performance')
  const glue = createGlue()
  try {
    const given = typeof source === 'function' ? source() : source
    const module = isModule(given) ? given : new WebAssembly.Module(given)
    const { exports } = new WebAssembly.Instance(module, {
      './verifier_bg.js': glue as unknown as WebAssembly.ModuleImports,
    })
    glue.__wbg_set_wasm(exports)
    ;(exports['__wbindgen_start'] as () => void)()
    return new Instance(glue, exports['memory'] as WebAssembly.Memory)
  } catch (error) {
    throw unavailable(error)
  }
}

/**
 * The module with a memory, which all its verifiers share. What interrupts one of them (an exhausted stack) leaves that
 * memory in no state to go on from: not for the others either.
 */
class Instance {
  readonly #glue: Glue
  readonly #memory: WebAssembly.Memory
  readonly #encoder = new TextEncoder()
  /** Frees what was dropped without `close`. Absent on platforms that lack it: there `close` alone frees. */
  readonly #dropped =
    typeof FinalizationRegistry === 'undefined'
      ? undefined
      : new FinalizationRegistry<GlueVerifier>(held => this.free(held))
  #inbox = new Uint8Array()
  #standing = new Float64Array()
  /** What ended a call. Written without a call, for which an exhausted stack may have no room. */
  thrown: unknown
  #isInside = false

  constructor(glue: Glue, memory: WebAssembly.Memory) {
    this.#glue = glue
    this.#memory = memory
  }

  /** A verifier in the module, which lives until `free`, or until its owner was collected. */
  make(owner: object, options: object): GlueVerifier {
    const made = this.within(() => new this.#glue.Verifier(options))
    this.#dropped?.register(owner, made, owner)
    return made
  }

  /** Never throws: if the module traps, the instance counts as interrupted, and its next user learns that. */
  free(held: GlueVerifier, owner?: object): void {
    if (owner !== undefined) this.#dropped?.unregister(owner)
    if (this.isInterrupted) return
    try {
      this.within(() => held.free())
    } catch {}
  }

  /** Writes a token into the inbox. Its length in bytes, or `undefined` if it is not ASCII or too long. */
  post(token: string): number | undefined {
    // Views of memory that has grown since are empty. It does not grow for a token that is remembered.
    if (this.#inbox.length === 0) this.#view()
    const { read, written } = this.#encoder.encodeInto(token, this.#inbox)
    // Otherwise only its beginning fitted, which may be a token by itself.
    return read === token.length ? written : undefined
  }

  /** See {@link WasmVerifier.standing}. */
  get standing(): Float64Array {
    if (this.#standing.length === 0) this.#view()
    return this.#standing
  }

  #view(): void {
    const { buffer } = this.#memory
    this.#inbox = new Uint8Array(buffer, this.#glue.inbox(), MAX_TOKEN_LENGTH)
    this.#standing = new Float64Array(buffer, this.#glue.standing(), 4)
  }

  /** Nothing in the module calls back, so whoever asks finds nobody inside, unless they never came out. */
  get isInterrupted(): boolean {
    return this.#isInside
  }

  /** The one way into the module: a call, of which whatever it throws comes out as a TokenError. */
  within<Answer>(call: () => Answer): Answer {
    this.enter()
    try {
      const answer = call()
      this.leave()
      return answer
    } catch (error) {
      this.thrown = error
      throw this.failed()
    }
  }

  /** Says that it is inside before the call: after it, an exhausted stack may leave no room to say anything. */
  enter(): void {
    if (this.#isInside) throw interrupted(this.thrown)
    this.#isInside = true
  }

  leave(): void {
    this.#isInside = false
  }

  /** What to throw instead: the module's own errors come out of it by themselves, all others leave it interrupted. */
  failed(): TokenError {
    if (!isPlainError(this.thrown)) return interrupted(this.thrown)
    this.leave()
    const { code } = this.thrown
    const evidence = this.thrown.evidence ?? {}
    return new TokenError(code, messageOf(code, evidence), evidence)
  }
}

class BoundVerifier implements WasmVerifier {
  #instance: Instance | undefined
  #glue: GlueVerifier | undefined

  constructor(instance: Instance, options: object) {
    this.#instance = instance
    this.#glue = instance.make(this, options)
  }

  close(): void {
    const [instance, glue] = [this.#instance, this.#glue]
    this.#instance = this.#glue = undefined
    if (glue !== undefined) instance!.free(glue, this)
  }

  get isInterrupted(): boolean {
    return this.#instance?.isInterrupted ?? false
  }

  addJwks(jwks: string): void {
    this.#within(glue => glue.addJwks(jwks))
  }

  trust(): string {
    return this.#within(glue => glue.trust())
  }

  restoreTrust(saved: string): void {
    this.#within(glue => glue.restoreTrust(saved))
  }

  load(list: string, wallSeconds: number, monotonicMs: number): Loaded {
    return this.#within(glue => glue.load(list, wallSeconds, monotonicMs))
  }

  verify(token: string, wallSeconds: number, monotonicMs: number): string {
    return this.#within(glue => glue.verify(token, wallSeconds, monotonicMs))
  }

  remember(): number | undefined {
    return this.#within(glue => glue.remember())
  }

  verifyAgain(token: string, wallSeconds: number, monotonicMs: number): number | undefined {
    const instance = this.#instance
    if (instance === undefined) throw closedVerifier()
    // Not `within`: for a call as short as this a closure is dear.
    instance.enter()
    try {
      const length = instance.post(token)
      const slot = length === undefined ? undefined : this.#glue!.verifyInbox(length, wallSeconds, monotonicMs)
      instance.leave()
      return slot
    } catch (error) {
      instance.thrown = error
      throw instance.failed()
    }
  }

  checkVetted(claims: string, wallSeconds: number, monotonicMs: number): void {
    this.#within(glue => glue.checkVetted(claims, wallSeconds, monotonicMs))
  }

  get standing(): Float64Array {
    if (this.#instance === undefined) throw closedVerifier()
    return this.#instance.standing
  }

  status(wallSeconds: number, monotonicMs: number): Status {
    return this.#within(glue => glue.status(wallSeconds, monotonicMs))
  }

  #within<Answer>(call: (glue: GlueVerifier) => Answer): Answer {
    const [instance, glue] = [this.#instance, this.#glue]
    if (instance === undefined) throw closedVerifier()
    return instance.within(() => call(glue!))
  }
}

const interrupted = (cause: unknown) =>
  new TokenError(
    'ERR_WASM_UNAVAILABLE',
    'this verifier was interrupted in the middle of its work and cannot go on; make a new one',
    {},
    { cause },
  )

/** By tag: `instanceof` fails for a module of another realm (a vm, an iframe, Jest). */
const isModule = (value: object): value is WebAssembly.Module =>
  Object.prototype.toString.call(value) === '[object WebAssembly.Module]'

const isPlainError = (error: unknown): error is { code: Code; evidence?: Record<string, unknown> | null } =>
  typeof error === 'object' && error !== null && !(error instanceof Error) && 'code' in error
