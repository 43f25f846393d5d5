// Uses nothing that needs the module: a bundler leaves its bytes out.
import { isTokenError } from 'doorlist'

console.log(isTokenError(new Error()))
