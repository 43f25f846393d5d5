// Uses nothing that needs the wasm module, so a bundler must leave its bytes out.
import { isTokenError } from 'doorlist'

console.log(isTokenError(new Error()))
