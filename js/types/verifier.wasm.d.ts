/** The compiled verifier, where the platform or bundler hands a `.wasm` import over as a module (workerd, Wrangler). */
declare const module: WebAssembly.Module
export default module
