import type { Code, Loaded, Status, VerifierOptions } from '../types/index.js'
import type { WasmSource } from '../types/slim.js'
import { createGlue } from '../wasm/glue.js'
import { TokenError } from './errors.js'
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
}

/** The class of the glue, which throws plain objects. It is told of a token by its bytes, which is the cheapest. */
export interface GlueVerifier extends Omit<WasmVerifier, 'isInterrupted' | 'verifyAgain' | 'standing'> {
  /** The address of {@link MAX_TOKEN_LENGTH} bytes. */
  inbox(): number
  /** The address of four numbers. */
  standing(): number
  verifyInbox(length: number, wallSeconds: number, monotonicMs: number): number | undefined
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
    const { exports } = new WebAssembly.Instance(module, { './verifier_bg.js': glue as WebAssembly.ModuleImports })
    glue.__wbg_set_wasm(exports)
    ;(exports['__wbindgen_start'] as () => void)()
    return new Instance(glue.Verifier, exports['memory'] as WebAssembly.Memory)
  } catch (error) {
    throw unavailable(error)
  }
}

/**
 * The module with a memory, which all its verifiers share. What interrupts one of them (an exhausted stack) leaves that
 * memory in no state to go on from: not for the others either.
 */
class Instance {
  readonly Verifier: new (options: object) => GlueVerifier
  readonly memory: WebAssembly.Memory
  /** What ended a call. Written without a call, for which an exhausted stack may have no room. */
  thrown: unknown
  #isInside = false

  constructor(Verifier: new (options: object) => GlueVerifier, memory: WebAssembly.Memory) {
    this.Verifier = Verifier
    this.memory = memory
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
    const { code, message, evidence } = this.thrown
    return new TokenError(code, message, evidence ?? {})
  }
}

class BoundVerifier implements WasmVerifier {
  readonly #instance: Instance
  readonly #glue: GlueVerifier
  readonly #encoder = new TextEncoder()
  #inbox = new Uint8Array()
  #standing = new Float64Array()

  constructor(instance: Instance, options: object) {
    this.#instance = instance
    this.#glue = instance.within(() => new instance.Verifier(options))
  }

  get isInterrupted(): boolean {
    return this.#instance.isInterrupted
  }

  addJwks(jwks: string): void {
    this.#instance.within(() => this.#glue.addJwks(jwks))
  }

  trust(): string {
    return this.#instance.within(() => this.#glue.trust())
  }

  restoreTrust(saved: string): void {
    this.#instance.within(() => this.#glue.restoreTrust(saved))
  }

  load(list: string, wallSeconds: number, monotonicMs: number): Loaded {
    return this.#instance.within(() => this.#glue.load(list, wallSeconds, monotonicMs))
  }

  verify(token: string, wallSeconds: number, monotonicMs: number): string {
    return this.#instance.within(() => this.#glue.verify(token, wallSeconds, monotonicMs))
  }

  remember(): number | undefined {
    return this.#instance.within(() => this.#glue.remember())
  }

  verifyAgain(token: string, wallSeconds: number, monotonicMs: number): number | undefined {
    // Not `within`: for a call as short as this a closure is dear.
    this.#instance.enter()
    try {
      // Views of memory that has grown since are empty. It does not grow for a token that is remembered.
      if (this.#inbox.length === 0) this.#view(this.#instance.memory.buffer)
      const { read, written } = this.#encoder.encodeInto(token, this.#inbox)
      // Else only its beginning found room, which may be a token by itself.
      const slot = read === token.length ? this.#glue.verifyInbox(written, wallSeconds, monotonicMs) : undefined
      this.#instance.leave()
      return slot
    } catch (error) {
      this.#instance.thrown = error
      throw this.#instance.failed()
    }
  }

  checkVetted(claims: string, wallSeconds: number, monotonicMs: number): void {
    this.#instance.within(() => {
      this.#glue.checkVetted(claims, wallSeconds, monotonicMs)
      // The text may have made the memory grow.
      if (this.#inbox.length === 0) this.#view(this.#instance.memory.buffer)
    })
  }

  get standing(): Float64Array {
    return this.#standing
  }

  #view(memory: ArrayBuffer): void {
    this.#inbox = new Uint8Array(memory, this.#glue.inbox(), MAX_TOKEN_LENGTH)
    this.#standing = new Float64Array(memory, this.#glue.standing(), 4)
  }

  status(wallSeconds: number, monotonicMs: number): Status {
    return this.#instance.within(() => this.#glue.status(wallSeconds, monotonicMs))
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

const isPlainError = (
  error: unknown,
): error is { code: Code; message: string; evidence?: Record<string, unknown> | null } =>
  typeof error === 'object' && error !== null && !(error instanceof Error) && 'code' in error && 'message' in error
