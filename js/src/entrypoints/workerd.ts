import module from './verifier.wasm'
import { makeConnectVerifier, makeCreateVerifier } from '../api.js'
import { lazily } from '../wasm.js'

export { TokenError, codes, isTokenError, isTokensFault } from '../errors.js'

// workerd compiles no bytes at run time: the module is imported.
const instantiate = /* @__PURE__ */ lazily(module)
export const createVerifier = /* @__PURE__ */ makeCreateVerifier(instantiate)
export const connectVerifier = /* @__PURE__ */ makeConnectVerifier(instantiate)
