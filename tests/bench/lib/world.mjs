// Creates tokens and lists as verifier-wasm/FORMAT.md requires. jose signs them with a published test key.
import { createPublicKey } from 'node:crypto'
import { CompactSign, SignJWT, importJWK } from 'jose'

export const ISSUER = 'https://issuer.example'
export const AUDIENCE = 'api'
const LIFETIME = 3600

/** The key of RFC 8037, appendix A. It is public, so it is used only for measurements. */
const PRIVATE = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
}
const { d: _, ...PUBLIC } = PRIVATE
export const KID = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'
export const JWK = { ...PUBLIC, kid: KID, alg: 'EdDSA', use: 'sig' }
export const JWKS = { keys: [JWK] }
export const keyObject = createPublicKey({ key: PUBLIC, format: 'jwk' })
/** The issuer, audience and key that the functions of `verifiers.mjs` need. */
export const WORLD = {
  issuer: ISSUER,
  audience: AUDIENCE,
  jwk: JWK,
  pem: keyObject.export({ format: 'pem', type: 'spki' }),
}
const signingKey = await importJWK(PRIVATE, 'EdDSA')

/** The block of the handles in the tokens. No list contains a handle of this block. */
const LIVE_BLOCK = 0x0a11_ce00n << 16n

/**
 * Returns `count` new tokens. Each token has its own session. The numbers of the tokens are consecutive, and begin at
 * `first`.
 */
export function tokens(count, first = 0) {
  const now = Math.floor(Date.now() / 1000)
  return Promise.all(Array.from({ length: count }, (_, index) => token(first + index, now)))
}

function token(number, now) {
  const session = LIVE_BLOCK + BigInt(2 * number)
  const own = { client_id: 'web', gid: hex16(session), sid: hex16(session + 1n), scope: 'read write' }
  return new SignJWT(own)
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: KID })
    .setIssuer(ISSUER)
    .setSubject(`user-${number}`)
    .setAudience(AUDIENCE)
    .setIssuedAt(now)
    .setExpirationTime(now + LIFETIME)
    .setJti(`token-${number}`)
    .sign(signingKey)
}

/** Returns a snapshot of these handles, or a delta if `since` is given. The handles must be in ascending order. */
export function list(revoked, { seq, since }) {
  const claims = {
    iss: ISSUER,
    iat: Math.floor(Date.now() / 1000),
    ttl: 10,
    retain: 4000,
    leeway: 60,
    epoch: '00000000000000ab',
    seq,
    ...(since === undefined ? {} : { since }),
    cutoff: 0,
    ...(since === undefined ? { jwks: JWKS } : {}),
    revoked: encode(revoked).toString('base64url'),
  }
  return signed(claims, 'revocation-list+jwt')
}

/** Returns a Status List Token (draft-ietf-oauth-status-list) for a compressed bitmap. */
export function statusList(compressed) {
  const iat = Math.floor(Date.now() / 1000)
  const claims = {
    sub: `${ISSUER}/statuslists/1`,
    iat,
    exp: iat + LIFETIME,
    ttl: 10,
    status_list: { bits: 1, lst: compressed.toString('base64url') },
  }
  return signed(claims, 'statuslist+jwt')
}

const signed = (claims, typ) =>
  new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'EdDSA', typ, kid: KID })
    .sign(signingKey)

/**
 * Returns the handle of the session with this number. An issuer draws blocks of 65,536 handles at random, and uses all
 * handles of a block. The blocks of sessions differ from the block of the tokens.
 */
export const handle = number =>
  ((0xd0_0000_0000n + BigInt(Math.floor(number / 65_536)) * 7919n) << 16n) + BigInt(number % 65_536)

/**
 * FORMAT.md §4: one group for each block, in ascending order. A group has the block (6 bytes), the count − 1 (2 bytes)
 * and the positions (2 bytes each). All numbers are big-endian.
 */
export function encode(handles) {
  const bytes = Buffer.alloc(10 * handles.length)
  let [end, group, count, block] = [0, 0, 0, -1n]
  for (const handle of handles) {
    const own = handle >> 16n
    if (own !== block) {
      group = end
      count = 0
      block = own
      bytes.writeUIntBE(Number(own), group, 6)
      end += 8
    }
    bytes.writeUInt16BE(count++, group + 6)
    bytes.writeUInt16BE(Number(handle & 0xffffn), end)
    end += 2
  }
  return bytes.subarray(0, end)
}

/** Returns `count` different numbers below `limit`, in ascending order. The numbers are the same in every run. */
export function sample(count, limit) {
  const random = generator(count ^ limit)
  const chosen = new Set()
  while (chosen.size < count) chosen.add(Math.floor(random() * limit))
  return Uint32Array.from(chosen).sort()
}

/** Returns the items in a random order. The order is the same in every run. */
export function shuffled(items, seed) {
  const random = generator(seed)
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[result[last], result[other]] = [result[other], result[last]]
  }
  return result
}

/** A generator of random numbers (mulberry32). */
function generator(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const hex16 = number => number.toString(16).padStart(16, '0')
