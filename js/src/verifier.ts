import type { AtTime, Code, Loaded, Status, Verified, Verifier, VerifierOptions } from '../types/index.js'
import { TokenError, invalidOption } from './errors.js'
import type { Host } from './host.js'
import { crossing, type Instantiate, type WasmVerifier } from './wasm.js'

/** FORMAT.md: a token has at most this many characters. Longer ones are not even copied. */
const MAX_TOKEN_LENGTH = 8192
/** FORMAT.md: a list has at most this many characters. */
export const MAX_LIST_LENGTH = 32 * 1024 * 1024

/** A verifier in this process: checks types, reads the clocks, and hands on to the module. */
export class LocalVerifier implements Verifier {
  readonly #wasm: WasmVerifier
  readonly #host: Host

  constructor(instantiate: Instantiate, host: Host, { jwks, ...options }: VerifierOptions) {
    this.#host = host
    this.#wasm = crossing(() => instantiate(options))
    if (jwks !== undefined) this.addJwks(JSON.stringify(jwks))
  }

  addJwks(jwks: string): void {
    crossing(() => this.#wasm.addJwks(jwks))
  }

  load(list: string, at?: AtTime): Loaded {
    if (typeof list !== 'string') throw new TokenError('ERR_LIST_INVALID', 'a revocation list must be a string')
    if (list.length > MAX_LIST_LENGTH) throw tooLong('ERR_LIST_INVALID', list.length, MAX_LIST_LENGTH)
    return crossing(() => this.#wasm.load(list, this.#seconds(at), this.#host.monotonic()))
  }

  verify(token: string, at?: AtTime): Verified {
    // A value that is no string would trap in the module, and a huge one would stay in its memory for good.
    if (typeof token !== 'string') throw new TokenError('ERR_JWS_INVALID', 'a token must be a string')
    if (token.length > MAX_TOKEN_LENGTH) throw tooLong('ERR_JWS_INVALID', token.length, MAX_TOKEN_LENGTH)
    const answer = crossing(() => this.#wasm.verify(token, this.#seconds(at), this.#host.monotonic()))
    // JSON.parse makes an own property of a claim `__proto__`, and nothing else.
    return JSON.parse(answer) as Verified
  }

  status(at?: AtTime): Status {
    return crossing(() => this.#wasm.status(this.#seconds(at), this.#host.monotonic()))
  }

  #seconds(at: AtTime | undefined): number {
    const date = at?.currentDate
    if (date === undefined) return Math.floor(this.#host.now() / 1000)
    // By tag: a Date of another realm is one too.
    const ms = Object.prototype.toString.call(date) === '[object Date]' ? Date.prototype.getTime.call(date) : NaN
    if (!(ms >= 0)) throw invalidOption('`currentDate` must be a valid Date from 1970 on', { option: 'currentDate' })
    return Math.floor(ms / 1000)
  }
}

const tooLong = (code: Code, length: number, limit: number) =>
  new TokenError(code, `${length} characters, where ${limit} are allowed`, { length, limit })
