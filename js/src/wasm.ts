import type { Code, Loaded, Status, VerifierOptions } from '../types/index.js'
import type { WasmSource } from '../types/slim.js'
import { createGlue } from '../wasm/glue.js'
import { TokenError, closedVerifier } from './errors.js'
import { messageOf } from './messages.js'
import { mustHave } from './missing.js'
import { unavailable } from './unavailable.js'

// The only file that uses wasm-bindgen. Only strings, numbers and one options object cross the boundary to the module.
// Errors cross the boundary as plain objects.

/**
 * The exports of `verifier-wasm/src/bindings.rs`, and its inbox. Times are wall-clock seconds and monotonic
 * milliseconds. The functions throw only TokenErrors.
 */
export interface WasmVerifier {
  /** Whether a call never finished. Every later call then throws `ERR_WASM_UNAVAILABLE`. */
  readonly isInterrupted: boolean
  addJwks(jwks: string): void
  /** The trusted keys and the names of the dropped keys, as JSON. */
  trust(): string
  restoreTrust(saved: string): void
  load(list: string, wallSeconds: number, monotonicMs: number): Loaded
  /** Returns the whole result as JSON text. */
  verify(token: string, wallSeconds: number, monotonicMs: number): string
  /**
   * Remembers the token that `verify` accepted last, and returns its slot. The caller must replace the data that it
   * keeps for an older token in that slot.
   */
  remember(): number | undefined
  /** Returns the slot of this token if it is remembered and still valid. */
  verifyAgain(token: string, wallSeconds: number, monotonicMs: number): number | undefined
  /** Checks the claims, as JSON text, of a token that another library verified; the result is in `standing`. */
  checkVetted(claims: string, wallSeconds: number, monotonicMs: number): void
  /**
   * The result of the last `verifyAgain` or `checkVetted`: the list's as-of time in seconds, its age in seconds, 1 if
   * it is stale, 1 in an outage. The first two are NaN without a list.
   */
  readonly standing: Float64Array
  status(wallSeconds: number, monotonicMs: number): Status
  /**
   * Frees the verifier's memory in the module. Every later call throws `ERR_VERIFIER_CLOSED`, except that a second
   * `close` does nothing.
   */
  close(): void
}

/**
 * The class that wasm-bindgen generates; it throws plain objects. It receives a token as bytes in the inbox, which is
 * the fastest way.
 */
export interface GlueVerifier extends Omit<WasmVerifier, 'isInterrupted' | 'verifyAgain' | 'standing' | 'close'> {
  verifyInbox(length: number, wallSeconds: number, monotonicMs: number): number | undefined
  free(): void
}

/** The module that the build makes from wasm-bindgen's output. */
export interface Glue {
  __wbg_set_wasm(exports: WebAssembly.Exports): void
  readonly Verifier: new (options: object) => GlueVerifier
  /** The address of a buffer of {@link MAX_TOKEN_LENGTH} bytes. */
  inbox(): number
  /** The address of four numbers, see {@link WasmVerifier.standing}. */
  standing(): number
}

/**
 * FORMAT.md: the maximum length of a token, in characters, each of them ASCII. The module's inbox has the same number
 * of bytes.
 */
export const MAX_TOKEN_LENGTH = 8192

/** Creates verifiers of one module, which is compiled for the first of them. */
export type Instantiate = (options: VerifierOptions) => WasmVerifier

/** Compiles `source` for the first verifier, and again after an instance was interrupted. */
export function lazily(source: WasmSource): Instantiate {
  let instance: Instance | undefined
  return options => {
    // The module refuses a member that is present without a value, and would also read inherited members.
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
 * An instance of the module with its memory, which all its verifiers share. If a call is interrupted (by an exhausted
 * stack, for example), the memory may be inconsistent, so none of these verifiers can be used any more.
 */
class Instance {
  readonly #glue: Glue
  readonly #memory: WebAssembly.Memory
  readonly #encoder = new TextEncoder()
  /**
   * Frees verifiers that were dropped without `close`. On platforms without FinalizationRegistry, only `close` frees
   * them.
   */
  readonly #dropped =
    typeof FinalizationRegistry === 'undefined'
      ? undefined
      : new FinalizationRegistry<GlueVerifier>(held => this.free(held))
  #inbox = new Uint8Array()
  #standing = new Float64Array()
  /**
   * The error that ended a call. This field is assigned directly, because an exhausted stack may have no room for a
   * call.
   */
  thrown: unknown
  #isInside = false

  constructor(glue: Glue, memory: WebAssembly.Memory) {
    this.#glue = glue
    this.#memory = memory
  }

  /**
   * Creates a verifier in the module. The verifier lives until `free` is called, or until its owner is garbage
   * collected.
   */
  make(owner: object, options: object): GlueVerifier {
    const made = this.within(() => new this.#glue.Verifier(options))
    this.#dropped?.register(owner, made, owner)
    return made
  }

  /** Never throws: if the module traps, the instance counts as interrupted, and the next call reports it. */
  free(held: GlueVerifier, owner?: object): void {
    if (owner !== undefined) this.#dropped?.unregister(owner)
    if (this.isInterrupted) return
    try {
      this.within(() => held.free())
    } catch {}
  }

  /**
   * Writes a token into the inbox. Returns the token's length in bytes, or `undefined` if the token is not ASCII or too
   * long.
   */
  post(token: string): number | undefined {
    // The views become empty when the memory grows. The memory does not grow for a token that is remembered.
    if (this.#inbox.length === 0) this.#view()
    const { read, written } = this.#encoder.encodeInto(token, this.#inbox)
    // If the token did not fit, the inbox contains only its beginning, which might be a valid token too.
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

  /**
   * The module never calls back into JavaScript. So a call is under way here only if an earlier call never returned.
   */
  get isInterrupted(): boolean {
    return this.#isInside
  }

  /** The only way into the module. Converts every error of a call into a TokenError. */
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

  /**
   * Marks the instance as in use before the call. After a failed call, an exhausted stack may leave no room to mark it.
   */
  enter(): void {
    if (this.#isInside) throw interrupted(this.thrown)
    this.#isInside = true
  }

  leave(): void {
    this.#isInside = false
  }

  /**
   * The error to throw instead of `thrown`. If the module itself threw that error, the instance is usable again. After
   * any other error the instance stays interrupted.
   */
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
    // Does not use `within`: for such a short call, a closure would cost too much.
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
    'this verifier was interrupted during a call and can no longer be used; make a new one',
    {},
    { cause },
  )

/** Compares the tag, because `instanceof` fails for a module of another realm (a vm, an iframe, Jest). */
const isModule = (value: object): value is WebAssembly.Module =>
  Object.prototype.toString.call(value) === '[object WebAssembly.Module]'

const isPlainError = (error: unknown): error is { code: Code; evidence?: Record<string, unknown> | null } =>
  typeof error === 'object' && error !== null && !(error instanceof Error) && 'code' in error
