import module from './verifier.wasm?module'
import { makeConnectVerifier, makeCreateVerifier } from '../api.js'
import { lazily } from '../wasm.js'

export { TokenError, codes, isTokenError, isTokensFault } from '../errors.js'

// The edge runtime compiles no bytes at run time; its bundlers turn the `?module` import into a module.
const instantiate = /* @__PURE__ */ lazily(module)
export const createVerifier = /* @__PURE__ */ makeCreateVerifier(instantiate)
export const connectVerifier = /* @__PURE__ */ makeConnectVerifier(instantiate)
