/** The compiled verifier, on platforms and bundlers that turn a `.wasm` import into a module (workerd, Wrangler). */
declare const module: WebAssembly.Module
export default module
