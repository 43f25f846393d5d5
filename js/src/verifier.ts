import type {
  AtTime,
  Code,
  Freshness,
  Loaded,
  Status,
  Verdict,
  Verified,
  Verifier,
  VerifierOptions,
  VettedBy,
} from '../types/index.js'
import { TokenError, invalidOption } from './errors.js'
import type { Host } from './host.js'
import { messageOf } from './messages.js'
import { AGE, AS_OF, MAX_TOKEN_LENGTH, OUTAGE, STALE, type Instantiate, type WasmVerifier } from './wasm.js'

/** FORMAT.md: the maximum length of a list, in characters. */
export const MAX_LIST_LENGTH = 32 * 1024 * 1024

/** A verifier in this process: checks types, reads the clocks, and calls the module. */
export class LocalVerifier implements Omit<Verifier, symbol> {
  readonly #wasm: WasmVerifier
  readonly #host: Host
  readonly #remembers: boolean
  /**
   * The claims and headers of remembered tokens, by slot of the module's memory. The objects are frozen, because all
   * callers get the same objects.
   */
  readonly #payloads: Verified['payload'][] = []
  readonly #headers: Verified['protectedHeader'][] = []
  #isClosed = false

  constructor(instantiate: Instantiate, host: Host, { jwks, ...options }: VerifierOptions) {
    this.#host = host
    this.#remembers = options.cacheSize !== 0
    this.#wasm = instantiate(options)
    if (jwks !== undefined) this.addJwks(JSON.stringify(jwks))
  }

  /** Whether this verifier refuses every call from now on, with `ERR_WASM_UNAVAILABLE`. */
  get isInterrupted(): boolean {
    return this.#wasm.isInterrupted
  }

  close(): void {
    this.#isClosed = true
    this.#wasm.close()
    this.#payloads.length = this.#headers.length = 0
  }

  addJwks(jwks: string): void {
    this.#wasm.addJwks(jwks)
  }

  /** The trusted keys and the names of the dropped keys, as JSON. */
  trust(): string {
    return this.#wasm.trust()
  }

  restoreTrust(saved: string): void {
    this.#wasm.restoreTrust(saved)
  }

  load(list: string, at?: AtTime): Loaded {
    if (typeof list !== 'string') throw new TokenError('ERR_LIST_INVALID', 'a revocation list must be a string')
    if (list.length > MAX_LIST_LENGTH) throw tooLong('ERR_LIST_INVALID', list.length, MAX_LIST_LENGTH)
    return this.#wasm.load(list, this.#seconds(at), this.#host.monotonic())
  }

  verify(token: string, at?: AtTime): Verified {
    // A value that is not a string would cause a trap in the module. A very long string would occupy the module's
    // memory permanently.
    if (typeof token !== 'string') throw new TokenError('ERR_JWS_INVALID', 'a token must be a string')
    if (token.length > MAX_TOKEN_LENGTH) throw tooLong('ERR_JWS_INVALID', token.length, MAX_TOKEN_LENGTH)
    const seconds = this.#seconds(at)
    const ms = this.#host.monotonic()
    const slot = this.#remembers ? this.#wasm.verifyAgain(token, seconds, ms) : undefined
    return slot === undefined ? this.#first(token, seconds, ms) : this.#again(slot)
  }

  #first(token: string, seconds: number, ms: number): Verified {
    const text = this.#wasm.verify(token, seconds, ms)
    // JSON.parse makes a claim named `__proto__` an own property, and changes no prototype.
    const answer = JSON.parse(text) as Verified
    freeze(answer.payload)
    freeze(answer.protectedHeader)
    const slot = this.#wasm.remember()
    if (slot !== undefined) {
      this.#payloads[slot] = answer.payload
      this.#headers[slot] = answer.protectedHeader
    }
    return answer
  }

  /** The result for a token that was accepted before and is accepted again. */
  #again(slot: number): Verified {
    const { verdict } = this.#wasm
    const freshness = freshnessIn(verdict)
    return {
      payload: this.#payloads[slot]!,
      protectedHeader: this.#headers[slot]!,
      revocation: revocationBy(freshness),
      freshness,
      outage: verdict[OUTAGE] === 1,
    }
  }

  assertNotRevoked(payload: object, { protectedHeader, currentDate }: VettedBy & AtTime = {}): Verdict {
    const claims = vettedClaims(payload, protectedHeader)
    const seconds = this.#seconds(currentDate && { currentDate })
    this.#wasm.checkVetted(claims, seconds, this.#host.monotonic())
    const freshness = freshnessIn(this.#wasm.verdict)
    return { revocation: revocationBy(freshness), freshness }
  }

  status(at?: AtTime): Status {
    return this.#isClosed ? nothingHeld() : this.#wasm.status(this.#seconds(at), this.#host.monotonic())
  }

  #seconds(at: AtTime | undefined): number {
    const date = at?.currentDate
    if (date === undefined) {
      // Without this check, a Date that is passed directly, or a misspelled name, would be ignored without notice.
      if (typeof at === 'object' && at !== null && (tagOf(at) === '[object Date]' || Object.keys(at).some(isNoTime)))
        throw invalidOption('pass the time as `{ currentDate }`, a Date', { option: 'currentDate' })
      return Math.floor(this.#host.now() / 1000)
    }
    // Compares the tag `[object Date]`, so that a Date of another realm is accepted.
    const ms = tagOf(date) === '[object Date]' ? Date.prototype.getTime.call(date) : NaN
    if (!(ms >= 0)) throw invalidOption('`currentDate` must be a valid Date from 1970 on', { option: 'currentDate' })
    return Math.floor(ms / 1000)
  }
}

const tagOf = (value: unknown): string => Object.prototype.toString.call(value)
const isNoTime = (name: string) => name !== 'currentDate'

/** The status of a closed verifier. */
const nothingHeld = (): Status => ({
  epoch: null,
  sequence: null,
  entries: 0,
  asOf: null,
  age: null,
  stale: true,
  ttl: null,
  keys: [],
})

/** See `WasmVerifier.verdict`. */
function freshnessIn(verdict: Float64Array): Freshness {
  const asOf = verdict[AS_OF]!
  const age = verdict[AGE]!
  const holdsList = !Number.isNaN(asOf)
  return { asOf: holdsList ? asOf : null, age: holdsList ? age : null, stale: verdict[STALE] === 1 }
}

const revocationBy = ({ asOf }: Freshness): Verdict['revocation'] => (asOf === null ? 'unknown' : 'not_revoked')

/**
 * The claims that the module needs, as JSON. The object comes from the caller: a value other than a text or a number
 * becomes `null`, and members of a polluted Object.prototype are not claims.
 */
function vettedClaims(payload: unknown, header: unknown): string {
  const of = (object: unknown, name: string) => {
    const value = Object.hasOwn(object ?? {}, name) ? (object as Record<string, unknown>)[name] : undefined
    return value === undefined || typeof value === 'string' || typeof value === 'number' ? value : null
  }
  const [iss, iat, gid, sid] = ['iss', 'iat', 'gid', 'sid'].map(name => of(payload, name))
  return JSON.stringify({ iss, iat, gid, sid, kid: of(header, 'kid') })
}

/** Freezes a value deeply. The value came from JSON.parse, so it is a tree of plain objects. */
function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  Object.values(value).forEach(freeze)
  Object.freeze(value)
}

function tooLong(code: Code, length: number, limit: number): TokenError {
  const evidence = { length, limit }
  return new TokenError(code, messageOf(code, evidence), evidence)
}
