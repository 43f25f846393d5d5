import module from './verifier.wasm'
import { makeConnectVerifier, makeCreateVerifier } from '../api.js'
import { lazily } from '../wasm.js'

export { TokenError, codes, isTokenError, isTokensFault } from '../errors.js'

// workerd cannot compile WebAssembly from bytes, so the compiled module is imported.
const instantiate = /* @__PURE__ */ lazily(module)
export const createVerifier = /* @__PURE__ */ makeCreateVerifier(instantiate)
export const connectVerifier = /* @__PURE__ */ makeConnectVerifier(instantiate)
