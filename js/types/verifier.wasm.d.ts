/**
 * The compiled verifier, on platforms and bundlers that turn a `.wasm` import into a module (workerd, Wrangler).
 *
 * @example
 * ```ts
 * import { bind } from 'doorlist/slim'
 * import module from 'doorlist/verifier.wasm'
 *
 * const { connectVerifier } = bind(module)
 * ```
 */
declare const module: WebAssembly.Module
export default module
