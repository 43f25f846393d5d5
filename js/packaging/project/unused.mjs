// This program needs no code of the wasm module. Therefore its bundle must not contain the bytes of the module.
import { isTokenError } from 'doorlist'

console.log(isTokenError(new Error()))
