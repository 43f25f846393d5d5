import type { Code, Loaded, Status, VerifierOptions } from '../types/index.js'
import type { WasmSource } from '../types/slim.js'
import { createGlue } from '../wasm/glue.js'
import { TokenError, closedVerifier } from './errors.js'
import { messageOf } from './messages.js'
import { mustHave } from './missing.js'
import { unavailable } from './unavailable.js'

// This is the only file that uses wasm-bindgen. Only strings, numbers and one options object are passed to the module.
// The module throws its errors as plain objects.

/**
 * A verifier in the module. Its functions call the exports of `verifier-wasm/src/bindings.rs`. Wall-clock times are in
 * seconds, and monotonic times are in milliseconds. All functions throw only TokenErrors.
 */
export interface WasmVerifier {
  /** Whether a call was interrupted. If so, every later call throws `ERR_WASM_UNAVAILABLE`. */
  readonly isInterrupted: boolean
  addJwks(jwks: string): void
  /** The trusted keys and the names of the dropped keys, as JSON. */
  trust(): string
  restoreTrust(saved: string): void
  load(list: string, wallSeconds: number, monotonicMs: number): Loaded
  /** Returns the whole result as JSON text. */
  verify(token: string, wallSeconds: number, monotonicMs: number): string
  /**
   * Remembers the token that `verify` accepted last, and returns the slot of this token. If the slot belonged to an
   * older token, the caller must replace the data that the caller keeps for the slot.
   */
  remember(): number | undefined
  /** Returns the slot of this token if it is remembered and still valid. */
  verifyAgain(token: string, wallSeconds: number, monotonicMs: number): number | undefined
  /** Checks the claims of a token that another library verified. `claims` is JSON text. The result is in `verdict`. */
  checkVetted(claims: string, wallSeconds: number, monotonicMs: number): void
  /**
   * The result of the last `verifyAgain` or `checkVetted`, in four numbers: see {@link AS_OF}, {@link AGE},
   * {@link STALE} and {@link OUTAGE}.
   */
  readonly verdict: Float64Array
  status(wallSeconds: number, monotonicMs: number): Status
  /**
   * Frees the verifier's memory in the module. A second call of `close` does nothing. After `close`, every other call
   * throws `ERR_VERIFIER_CLOSED`.
   */
  close(): void
}

/**
 * The class that wasm-bindgen generates. It throws plain objects. `verifyInbox` reads the token as bytes from the
 * inbox, because this is the fastest way to pass a token.
 */
export interface GlueVerifier extends Omit<WasmVerifier, 'isInterrupted' | 'verifyAgain' | 'verdict' | 'close'> {
  verifyInbox(length: number, wallSeconds: number, monotonicMs: number): number | undefined
  free(): void
}

/** The JavaScript module that the build makes from the output of wasm-bindgen. */
export interface Glue {
  __wbg_set_wasm(exports: WebAssembly.Exports): void
  readonly Verifier: new (options: object) => GlueVerifier
  /** The address of a buffer of {@link MAX_TOKEN_LENGTH} bytes. */
  inbox(): number
  /** The address of the four numbers of {@link WasmVerifier.verdict}. */
  standing(): number
}

/**
 * FORMAT.md: the maximum number of characters of a token. A token is ASCII, so the module's inbox has the same number
 * of bytes.
 */
export const MAX_TOKEN_LENGTH = 8192

// The function `numbers` in `verifier-wasm/src/bindings.rs` returns the four numbers of `WasmVerifier.verdict`. The
// constants `AS_OF` to `OUTAGE` are the positions of these numbers.
/** The list's as-of time in seconds; NaN without a list. */
export const AS_OF = 0
/** The list's age in seconds; NaN without a list. */
export const AGE = 1
/** 1 if the list is stale. */
export const STALE = 2
/** 1 if the token is past its `exp` and was accepted because of an outage. */
export const OUTAGE = 3
const VERDICT_LENGTH = 4

/** Creates verifiers. The module is compiled when the first verifier is created. */
export type Instantiate = (options: VerifierOptions) => WasmVerifier

/**
 * Compiles `source` when the first verifier is created. Compiles `source` again if a call into the last instance was
 * interrupted.
 */
export function lazily(source: WasmSource): Instantiate {
  let instance: Instance | undefined
  return options => {
    // Members with the value `undefined` are removed, because the module refuses them. The prototype is `null`, because
    // the module would also read inherited members.
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
 * An instance of the module. All its verifiers share its memory. If a call is interrupted (by an exhausted stack, for
 * example), the memory can be inconsistent. Then no verifier of this instance can be used any more.
 */
class Instance {
  readonly #glue: Glue
  readonly #memory: WebAssembly.Memory
  readonly #encoder = new TextEncoder()
  /**
   * Frees verifiers that the program dropped without `close`. A platform without FinalizationRegistry frees only closed
   * verifiers.
   */
  readonly #dropped =
    typeof FinalizationRegistry === 'undefined'
      ? undefined
      : new FinalizationRegistry<GlueVerifier>(held => this.free(held))
  #inbox = new Uint8Array()
  #verdict = new Float64Array()
  /**
   * The error that ended the last failed call. This is a public field without a setter, because there may be no room
   * for one more call when the stack is exhausted.
   */
  thrown: unknown
  #isInside = false

  constructor(glue: Glue, memory: WebAssembly.Memory) {
    this.#glue = glue
    this.#memory = memory
  }

  /**
   * Creates a verifier in the module. `free` frees the verifier. If `free` is not called, the verifier is freed after
   * its owner has been garbage collected.
   */
  make(owner: object, options: object): GlueVerifier {
    const made = this.within(() => new this.#glue.Verifier(options))
    this.#dropped?.register(owner, made, owner)
    return made
  }

  /**
   * Frees a verifier. Never throws. If the module traps, the instance counts as interrupted, and the next call throws
   * an error.
   */
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
    // When the memory of the module grows, the views become empty and must be created again. The memory does not grow
    // while a remembered token is checked.
    if (this.#inbox.length === 0) this.#view()
    const { read, written } = this.#encoder.encodeInto(token, this.#inbox)
    // If the token did not fit, the inbox has only the beginning of the token. This beginning could itself be a valid
    // token, so it must not be used.
    return read === token.length ? written : undefined
  }

  /** See {@link WasmVerifier.verdict}. */
  get verdict(): Float64Array {
    if (this.#verdict.length === 0) this.#view()
    return this.#verdict
  }

  #view(): void {
    const { buffer } = this.#memory
    this.#inbox = new Uint8Array(buffer, this.#glue.inbox(), MAX_TOKEN_LENGTH)
    this.#verdict = new Float64Array(buffer, this.#glue.standing(), VERDICT_LENGTH)
  }

  /**
   * Whether an earlier call never returned. The module never calls JavaScript, so no other call can be under way here.
   */
  get isInterrupted(): boolean {
    return this.#isInside
  }

  /** Calls the module. Converts every error of the call into a TokenError. */
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
   * Marks the instance as in use. This step must come before the call, because there may be no room for this step when
   * the stack is exhausted.
   */
  enter(): void {
    if (this.#isInside) throw interrupted(this.thrown)
    this.#isInside = true
  }

  leave(): void {
    this.#isInside = false
  }

  /**
   * Returns the error to throw instead of `thrown`. After an error that the module itself threw, the instance can still
   * be used. After any other error the instance stays interrupted.
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
    // This method does not use `within`, because a closure would take too long for such a short call.
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

  get verdict(): Float64Array {
    if (this.#instance === undefined) throw closedVerifier()
    return this.#instance.verdict
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

/**
 * Compares the text that `Object.prototype.toString` returns. `instanceof` fails for a module of another realm (a vm,
 * an iframe, Jest).
 */
const isModule = (value: object): value is WebAssembly.Module =>
  Object.prototype.toString.call(value) === '[object WebAssembly.Module]'

const isPlainError = (error: unknown): error is { code: Code; evidence?: Record<string, unknown> | null } =>
  typeof error === 'object' && error !== null && !(error instanceof Error) && 'code' in error
