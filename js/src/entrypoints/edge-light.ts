import module from './verifier.wasm?module'
import { makeConnectVerifier, makeCreateVerifier } from '../api.js'
import { lazily } from '../wasm.js'

export { TokenError, codes, isTokenError, isTokensFault } from '../errors.js'

// The edge runtime cannot compile WebAssembly from bytes. The bundlers for this runtime turn the `?module` import into
// a compiled module.
const instantiate = /* @__PURE__ */ lazily(module)
export const createVerifier = /* @__PURE__ */ makeCreateVerifier(instantiate)
export const connectVerifier = /* @__PURE__ */ makeConnectVerifier(instantiate)
