// A small issuer for the profile of this project (verifier-wasm/FORMAT.md). This issuer signs with jose, so that it
// does not depend on the project's own code.
import { CompactSign, SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair, type CryptoKey } from 'jose'

export const ISSUER = 'https://issuer.example'
export const AUDIENCE = 'api'

export interface ListClaims {
  iat: number
  seq: number
  since?: number
  revoked?: string[]
  cutoff?: number
  [claim: string]: unknown
}

export class TestIssuer {
  private constructor(
    readonly url: string,
    readonly kid: string,
    readonly jwks: { keys: object[] },
    private readonly key: CryptoKey,
  ) {}

  static async create(url = ISSUER): Promise<TestIssuer> {
    const { publicKey, privateKey } = await generateKeyPair('Ed25519')
    const jwk = await exportJWK(publicKey)
    const kid = await calculateJwkThumbprint(jwk)
    return new TestIssuer(url, kid, { keys: [{ ...jwk, kid, alg: 'EdDSA', use: 'sig' }] }, privateKey)
  }

  token(iat: number, more: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> {
    const claims = { gid: '00000000000a0001', sid: '00000000000a0002', client_id: 'web', ...more }
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: this.kid, ...header })
      .setIssuer(this.url)
      .setSubject('alice')
      .setAudience(AUDIENCE)
      .setIssuedAt(iat)
      .setExpirationTime(iat + 900)
      .setJti('token-1')
      .sign(this.key)
  }

  list({ revoked = [], ...more }: ListClaims): Promise<string> {
    const snapshot = more.since === undefined ? { jwks: this.jwks } : {}
    const fixed = { iss: this.url, ttl: 10, retain: 1020, leeway: 60, epoch: '00000000000000ab', cutoff: 0 }
    const claims = { ...fixed, ...snapshot, revoked: encodeHandles(revoked), ...more }
    return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
      .setProtectedHeader({ alg: 'EdDSA', typ: 'revocation-list+jwt', kid: this.kid })
      .sign(this.key)
  }
}

/**
 * One group for each block, in ascending order. A group has the block (6 bytes), the count − 1 (2 bytes) and the
 * positions (2 bytes each). All numbers are big-endian.
 */
function encodeHandles(handles: string[]): string {
  const blocks = new Map<string, string[]>()
  for (const handle of [...handles].sort()) {
    const block = handle.slice(0, 12)
    const positions = blocks.get(block) ?? []
    if (positions.push(handle.slice(12)) === 1) blocks.set(block, positions)
  }
  const count = (positions: string[]) => (positions.length - 1).toString(16).padStart(4, '0')
  const groups = [...blocks].map(([block, positions]) => block + count(positions) + positions.join(''))
  return Buffer.from(groups.join(''), 'hex').toString('base64url')
}
