import { base64 } from '../../wasm/inlined.js'
import { makeConnectVerifier, makeCreateVerifier } from '../api.js'
import { decoded } from '../base64.js'
import { lazily } from '../wasm.js'

export { TokenError, codes, isTokenError, isTokensFault } from '../errors.js'

// All calls here are marked as pure. So a bundler can drop the exports that a program does not use, and also the bytes
// of the WebAssembly module.
const instantiate = /* @__PURE__ */ lazily(() => decoded(base64))
export const createVerifier = /* @__PURE__ */ makeCreateVerifier(instantiate)
export const connectVerifier = /* @__PURE__ */ makeConnectVerifier(instantiate)
