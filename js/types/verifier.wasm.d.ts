/**
 * The compiled verifier. It can be imported on platforms and with bundlers that turn a `.wasm` import into a module
 * (workerd, Wrangler).
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
