import type { Code, Loaded, Status, VerifierOptions } from '../types/index.js'
import type { WasmSource } from '../types/slim.js'
import { createGlue } from '../wasm/glue.js'
import { TokenError } from './errors.js'

// The only file that knows wasm-bindgen. What crosses: strings, numbers, one options object; errors as plain objects.

/** What `verifier-wasm/src/bindings.rs` exports, and its inbox. Times are wall-clock seconds and monotonic milliseconds. */
export interface WasmVerifier {
  addJwks(jwks: string): void
  load(list: string, wallSeconds: number, monotonicMs: number): Loaded
  /** The whole answer as JSON text. */
  verify(token: string, wallSeconds: number, monotonicMs: number): string
  /** Remembers what `verify` accepted last. Its slot: what is kept of an older token of that slot must be replaced. */
  remember(): number | undefined
  /** The slot of this very token, when it is remembered and as good as it was. */
  verifyAgain(token: string, wallSeconds: number, monotonicMs: number): number | undefined
  /** What `verifyAgain` said last: 4 × the list's age + 2 in an outage + 1 when the list is stale. */
  standing(): number
  /** As-of of the list then, in seconds; NaN without a list. */
  asOf(): number
  status(wallSeconds: number, monotonicMs: number): Status
}

/** The class of the glue: it is told of a token by its bytes, which is the cheapest. */
export interface GlueVerifier extends Omit<WasmVerifier, 'verifyAgain'> {
  /** The address of {@link MAX_TOKEN_LENGTH} bytes. */
  inbox(): number
  verifyInbox(length: number, wallSeconds: number, monotonicMs: number): number | undefined
}

/** FORMAT.md: a token has at most this many characters, each of them ASCII. The module's inbox has as many bytes. */
export const MAX_TOKEN_LENGTH = 8192

/** Makes verifiers of one module, which is compiled when the first is made. */
export type Instantiate = (options: VerifierOptions) => WasmVerifier

/** The class behind `source`, compiled at most once. */
export function lazily(source: WasmSource): Instantiate {
  let Verifier: (new (options: object) => WasmVerifier) | undefined
  return options => {
    // The module refuses a member that is present without a value, and would read one that is inherited.
    const given = Object.create(null) as Record<string, unknown>
    for (const [name, value] of Object.entries(options)) if (value !== undefined) given[name] = value
    if (typeof options.audience === 'string') given['audience'] = [options.audience]
    return new (Verifier ??= instantiate(source))(given)
  }
}

function instantiate(source: WasmSource): new (options: object) => WasmVerifier {
  const glue = createGlue()
  let memory: WebAssembly.Memory
  try {
    const given = typeof source === 'function' ? source() : source
    const module = isModule(given) ? given : new WebAssembly.Module(given)
    const { exports } = new WebAssembly.Instance(module, { './verifier_bg.js': glue as WebAssembly.ModuleImports })
    memory = exports['memory'] as WebAssembly.Memory
    glue.__wbg_set_wasm(exports)
    ;(exports['__wbindgen_start'] as () => void)()
  } catch (error) {
    const advice =
      "a page's Content-Security-Policy must allow script-src 'wasm-unsafe-eval'; a worker brings the module (doorlist/slim)"
    throw new TokenError(
      'ERR_WASM_UNAVAILABLE',
      `the verifier's WebAssembly could not be loaded; ${advice}`,
      {},
      { cause: error },
    )
  }
  return withInbox(glue.Verifier, memory)
}

function withInbox(Glue: new (options: object) => GlueVerifier, memory: WebAssembly.Memory) {
  const encoder = new TextEncoder()
  return class extends Glue implements WasmVerifier {
    #inbox = new Uint8Array()

    verifyAgain(token: string, wallSeconds: number, monotonicMs: number): number | undefined {
      // A view of memory that has grown since is empty.
      if (this.#inbox.length === 0) this.#inbox = new Uint8Array(memory.buffer, this.inbox(), MAX_TOKEN_LENGTH)
      const { read, written } = encoder.encodeInto(token, this.#inbox)
      // Else only its beginning found room, which may be a token by itself.
      return read === token.length ? this.verifyInbox(written, wallSeconds, monotonicMs) : undefined
    }
  }
}

/** By tag: `instanceof` fails for a module of another realm (a vm, an iframe, Jest). */
const isModule = (value: object): value is WebAssembly.Module =>
  Object.prototype.toString.call(value) === '[object WebAssembly.Module]'

/** Calls into the module, and makes a TokenError of the plain object that it throws. */
export function crossing<Answer>(call: () => Answer): Answer {
  try {
    return call()
  } catch (error) {
    if (!isPlainError(error)) throw error
    const { code, message, evidence } = error
    throw new TokenError(code, message, evidence ?? {})
  }
}

const isPlainError = (
  error: unknown,
): error is { code: Code; message: string; evidence?: Record<string, unknown> | null } =>
  typeof error === 'object' && error !== null && !(error instanceof Error) && 'code' in error && 'message' in error
