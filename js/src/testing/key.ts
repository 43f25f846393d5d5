import { mustHave } from '../missing.js'
import { base64url } from './encoding.js'

/** An Ed25519 key from Web Crypto that signs JWTs of this profile. */
export interface Key {
  readonly jwk: object
  sign(typ: string, payload: object): Promise<string>
}

export async function createKey(): Promise<Key> {
  mustHave('crypto', 'TextEncoder', 'btoa')
  const { publicKey, privateKey } = (await crypto.subtle.generateKey('Ed25519', false, [
    'sign',
    'verify',
  ])) as CryptoKeyPair
  const { x } = await crypto.subtle.exportKey('jwk', publicKey)
  // RFC 7638: the JSON must have exactly these members in this order.
  const thumbprint = await crypto.subtle.digest('SHA-256', bytes(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x })))
  const kid = base64url(new Uint8Array(thumbprint))
  return {
    jwk: { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' },
    async sign(typ, payload) {
      const parts = [{ alg: 'EdDSA', typ, kid }, payload].map(part => base64url(bytes(JSON.stringify(part))))
      const signature = await crypto.subtle.sign('Ed25519', privateKey, bytes(parts.join('.')))
      return [...parts, base64url(new Uint8Array(signature))].join('.')
    },
  }
}

const bytes = (text: string) => new TextEncoder().encode(text)
