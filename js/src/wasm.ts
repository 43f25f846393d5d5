import type { Code, Loaded, Status, VerifierOptions } from '../types/index.js'
import type { WasmSource } from '../types/slim.js'
import { createGlue } from '../wasm/glue.js'
import { TokenError } from './errors.js'

// The only file that knows wasm-bindgen. What crosses: strings, numbers, one options object; errors as plain objects.

/** The class that `verifier-wasm/src/bindings.rs` exports. Times are wall-clock seconds and monotonic milliseconds. */
export interface WasmVerifier {
  addJwks(jwks: string): void
  load(list: string, wallSeconds: number, monotonicMs: number): Loaded
  /** The whole answer as JSON text. */
  verify(token: string, wallSeconds: number, monotonicMs: number): string
  status(wallSeconds: number, monotonicMs: number): Status
}

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
  try {
    const given = typeof source === 'function' ? source() : source
    const module = isModule(given) ? given : new WebAssembly.Module(given)
    const { exports } = new WebAssembly.Instance(module, { './verifier_bg.js': glue as WebAssembly.ModuleImports })
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
  return glue.Verifier
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
