import type { AccessTokenClaims } from '../../types/index.js'
import type { TestIssuer, TestListClaims } from '../../types/testing.js'
import { invalidOption } from '../errors.js'
import { metadataUrl } from '../metadata.js'
import { isObject, isText } from '../option-rules.js'
import { encodeHandles, textOf } from './encoding.js'
import { createKey, type Key } from './key.js'
import { Subscribers } from './subscribers.js'

const LIFETIME_SECS = 900
const LEEWAY_SECS = 60
/** verifier-wasm/src/list.rs has the same limit. */
const MAX_RETAIN_SECS = 3_650 * 86_400

/** Holds an issuer's state in memory: its keys, the group of each subject, and the revoked handles. */
export class MemoryIssuer implements TestIssuer {
  readonly #issuer: string
  readonly #audience: string
  /**
   * The signing key and the reserve key. When the signing key is retired, the reserve key signs the next list.
   * Verifiers already trust the reserve key.
   */
  #keys: [Key, Key]
  readonly #groups = new Map<string, string>()
  readonly #revoked: string[] = []
  readonly #subscribers = new Subscribers()
  #handles = 0
  #tokens = 0
  #sequence = 1
  #cutoff = 0
  #retain = LIFETIME_SECS + LEEWAY_SECS + 60

  constructor(issuer: string, audience: string, ...keys: [Key, Key]) {
    this.#issuer = issuer
    this.#audience = audience
    this.#keys = keys
  }

  get rules() {
    return { issuer: this.#issuer, audience: this.#audience, jwks: this.#jwks }
  }

  async token(claims: Partial<AccessTokenClaims> = {}): Promise<string> {
    mustBeClaims(claims)
    const { sub = 'alice', iat = Math.max(now(), this.#cutoff), exp = iat + LIFETIME_SECS } = claims
    // The list must keep revocations for the whole lifetime of this token. A lifetime beyond the limit of the format
    // does not change the list. Verifiers refuse such a token anyway, and would also refuse a list whose `retain` is
    // beyond the limit.
    const kept = Math.ceil(exp - iat) + LEEWAY_SECS + 60
    if (kept <= MAX_RETAIN_SECS) this.#retain = Math.max(this.#retain, kept)
    const usual = { iss: this.#issuer, aud: this.#audience, client_id: 'test', jti: `token-${++this.#tokens}` }
    const handles = { gid: this.#groupOf(sub), sid: this.#handle() }
    return this.#keys[0].sign('at+jwt', { ...usual, sub, iat, exp, ...handles, ...claims })
  }

  async list(claims: TestListClaims = {}): Promise<string> {
    mustBeClaims(claims)
    const place = { iss: this.#issuer, iat: now(), epoch: '0000000000000001', seq: this.#sequence }
    const terms = { ttl: 60, retain: this.#retain, leeway: LEEWAY_SECS, cutoff: this.#cutoff, jwks: this.#jwks }
    const revoked = encodeHandles(this.#revoked)
    return this.#keys[0].sign('revocation-list+jwt', { ...place, ...terms, revoked, ...claims })
  }

  async revoke(sub: string): Promise<void> {
    if (!isText(sub)) throw invalidOption('`sub` must be the name of a subject', { option: 'sub' })
    await this.#append(this.#groupOf(sub))
    this.#groups.delete(sub)
  }

  async endSession(token: string): Promise<void> {
    const [, payload = ''] = token.split('.')
    const { sid } = JSON.parse(textOf(payload)) as Partial<AccessTokenClaims>
    if (!isText(sid) || !/^(?!0+$)[\da-f]{16}$/.test(sid))
      throw invalidOption('`token` must be a token with a valid `sid`', { option: 'token' })
    await this.#append(sid)
  }

  async cutOff(): Promise<void> {
    this.#cutoff = now() + 1
    await this.#append()
  }

  async retireKey(): Promise<void> {
    this.#keys = [this.#keys[1], await createKey()]
    await this.#append()
  }

  readonly fetch = async (input: RequestInfo | URL): Promise<Response> => {
    const url = input instanceof Request ? input.url : String(input)
    const answer = (type: string, body: BodyInit) => new Response(body, { headers: { 'content-type': type } })
    switch (url.replace(/\?.*$/, '')) {
      case metadataUrl(this.#issuer):
        return answer('application/json', JSON.stringify({ issuer: this.#issuer, ...this.#addresses }))
      case this.#addresses.jwks_uri:
        return answer('application/json', JSON.stringify(this.#jwks))
      case this.#addresses.revocation_list_uri:
        return answer('application/jwt', await this.list())
      case this.#addresses.revocation_stream_uri:
        return answer('text/event-stream', this.#subscribers.stream(this.list()))
      default:
        return new Response(null, { status: 404 })
    }
  }

  get #jwks() {
    return { keys: this.#keys.map(key => key.jwk) }
  }

  get #addresses() {
    return {
      jwks_uri: `${this.#issuer}/.well-known/jwks.json`,
      revocation_list_uri: `${this.#issuer}/revocations`,
      revocation_stream_uri: `${this.#issuer}/revocations/stream`,
    }
  }

  async #append(...handles: string[]): Promise<void> {
    this.#revoked.push(...handles)
    this.#sequence++
    this.#subscribers.send(await this.list())
  }

  #groupOf(sub: string): string {
    const group = this.#groups.get(sub) ?? this.#handle()
    this.#groups.set(sub, group)
    return group
  }

  #handle(): string {
    return (++this.#handles).toString(16).padStart(16, '0')
  }
}

/** Without this check, `token('bob')` would silently return a token of alice. */
function mustBeClaims(claims: unknown): void {
  if (!isObject(claims)) throw invalidOption('claims must be an object, `{ sub: … }`', { option: 'claims' })
}

const now = () => Math.floor(Date.now() / 1000)
