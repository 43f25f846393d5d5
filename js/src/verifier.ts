import type {
  AtTime,
  Code,
  Freshness,
  Loaded,
  Standing,
  Status,
  Verified,
  Verifier,
  VerifierOptions,
  VettedBy,
} from '../types/index.js'
import { TokenError, invalidOption } from './errors.js'
import type { Host } from './host.js'
import { MAX_TOKEN_LENGTH, type Instantiate, type WasmVerifier } from './wasm.js'

/** FORMAT.md: a list has at most this many characters. */
export const MAX_LIST_LENGTH = 32 * 1024 * 1024

/** A verifier in this process: checks types, reads the clocks, and hands on to the module. */
export class LocalVerifier implements Omit<Verifier, symbol> {
  readonly #wasm: WasmVerifier
  readonly #host: Host
  readonly #remembers: boolean
  /** By slot of the module's memory, what the token there says: the same objects for all who ask, so nobody may change them. */
  readonly #payloads: Verified['payload'][] = []
  readonly #headers: Verified['protectedHeader'][] = []
  #isClosed = false

  constructor(instantiate: Instantiate, host: Host, { jwks, ...options }: VerifierOptions) {
    this.#host = host
    this.#remembers = options.cacheSize !== 0
    this.#wasm = instantiate(options)
    if (jwks !== undefined) this.addJwks(JSON.stringify(jwks))
  }

  /** Whether it refuses everything from now on, with `ERR_WASM_UNAVAILABLE`. */
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

  /** The trusted keys and the names of the dropped ones, as JSON. */
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
    // A value that is no string would trap in the module, and a huge one would stay in its memory for good.
    if (typeof token !== 'string') throw new TokenError('ERR_JWS_INVALID', 'a token must be a string')
    if (token.length > MAX_TOKEN_LENGTH) throw tooLong('ERR_JWS_INVALID', token.length, MAX_TOKEN_LENGTH)
    const seconds = this.#seconds(at)
    const ms = this.#host.monotonic()
    const slot = this.#remembers ? this.#wasm.verifyAgain(token, seconds, ms) : undefined
    return slot === undefined ? this.#first(token, seconds, ms) : this.#again(slot)
  }

  #first(token: string, seconds: number, ms: number): Verified {
    const text = this.#wasm.verify(token, seconds, ms)
    // JSON.parse makes an own property of a claim `__proto__`, and nothing else.
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

  /** What was accepted before, and is now. */
  #again(slot: number): Verified {
    const { standing } = this.#wasm
    const freshness = freshnessIn(standing)
    return {
      payload: this.#payloads[slot]!,
      protectedHeader: this.#headers[slot]!,
      revocation: revocationBy(freshness),
      freshness,
      outage: standing[3] === 1,
    }
  }

  assertNotRevoked(payload: object, { protectedHeader, currentDate }: VettedBy & AtTime = {}): Standing {
    const claims = vettedClaims(payload, protectedHeader)
    const seconds = this.#seconds(currentDate && { currentDate })
    this.#wasm.checkVetted(claims, seconds, this.#host.monotonic())
    const freshness = freshnessIn(this.#wasm.standing)
    return { revocation: revocationBy(freshness), freshness }
  }

  status(at?: AtTime): Status {
    return this.#isClosed ? nothingHeld() : this.#wasm.status(this.#seconds(at), this.#host.monotonic())
  }

  #seconds(at: AtTime | undefined): number {
    const date = at?.currentDate
    if (date === undefined) {
      // A Date itself, or a misspelt name, would look like the time and be ignored.
      if (typeof at === 'object' && at !== null && (tagOf(at) === '[object Date]' || Object.keys(at).some(isNoTime)))
        throw invalidOption('the time goes into `{ currentDate }`, a Date', { option: 'currentDate' })
      return Math.floor(this.#host.now() / 1000)
    }
    // By tag: a Date of another realm is one too.
    const ms = tagOf(date) === '[object Date]' ? Date.prototype.getTime.call(date) : NaN
    if (!(ms >= 0)) throw invalidOption('`currentDate` must be a valid Date from 1970 on', { option: 'currentDate' })
    return Math.floor(ms / 1000)
  }
}

const tagOf = (value: unknown): string => Object.prototype.toString.call(value)
const isNoTime = (name: string) => name !== 'currentDate'

/** The status of a verifier that was closed. */
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

/** See `WasmVerifier.standing`. */
function freshnessIn(standing: Float64Array): Freshness {
  const asOf = standing[0]!
  const age = standing[1]!
  const holdsList = !Number.isNaN(asOf)
  return { asOf: holdsList ? asOf : null, age: holdsList ? age : null, stale: standing[2] === 1 }
}

const revocationBy = ({ asOf }: Freshness): Standing['revocation'] => (asOf === null ? 'unknown' : 'not_revoked')

/**
 * What the module asks of it, as JSON. It is somebody else's object: whatever is no text or number becomes `null`, and what a
 * polluted Object.prototype has is no claim.
 */
function vettedClaims(payload: unknown, header: unknown): string {
  const of = (object: unknown, name: string) => {
    const value = Object.hasOwn(object ?? {}, name) ? (object as Record<string, unknown>)[name] : undefined
    return value === undefined || typeof value === 'string' || typeof value === 'number' ? value : null
  }
  const [iss, iat, gid, sid] = ['iss', 'iat', 'gid', 'sid'].map(name => of(payload, name))
  return JSON.stringify({ iss, iat, gid, sid, kid: of(header, 'kid') })
}

/** Freezes it through and through. It came out of JSON.parse: a tree of plain objects. */
function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  Object.values(value).forEach(freeze)
  Object.freeze(value)
}

const tooLong = (code: Code, length: number, limit: number) =>
  new TokenError(
    code,
    `${code === 'ERR_JWS_INVALID' ? 'the token' : 'the revocation list'} has ${length} characters; at most ${limit} are allowed`,
    {
      length,
      limit,
    },
  )
