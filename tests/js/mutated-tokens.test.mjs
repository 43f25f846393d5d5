// A token that this verifier accepts is one that jose accepts, with the same claims. The tokens are valid ones that a
// seeded generator damages: in their JSON before the signature, or in their text after it. The other direction is no
// bug, because this profile is stricter: jose accepts duplicate names, unknown header members and missing claims.
//
// Deliberate differences in the direction that counts: none. jose knows `EdDSA` and `Ed25519` as this verifier does.
import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { createRequire } from 'node:module'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { createVerifier, isTokenError } from '../../js/dist/index.js'

const ofPackage = createRequire(new URL('../../js/package.json', import.meta.url))
const jose = await import(pathToFileURL(ofPackage.resolve('jose')))
const CASES = Number(process.env.DOORLIST_TOKEN_CASES ?? 4_000)
const SEED = Number(process.env.DOORLIST_TOKEN_SEED ?? 1)
const NOW = 1_767_225_600

const key = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 1)]),
  format: 'der',
  type: 'pkcs8',
})
const jwk = createPublicKey(key).export({ format: 'jwk' })
jwk.kid = await jose.calculateJwkThumbprint(jwk)
const header = JSON.stringify({ alg: 'EdDSA', kid: jwk.kid, typ: 'at+jwt' })
const payload = JSON.stringify({
  iss: 'https://issuer.example',
  sub: 'alice',
  aud: 'api',
  exp: NOW + 840,
  iat: NOW - 60,
  jti: 'token-1',
  client_id: 'web',
  gid: '0000000000ab0001',
  sid: '0000000000ab0002',
  note: ['é😀', { a: 1.5e3, b: [null, true] }],
})
/** Texts that a generator of random characters does not find. */
const FRAGMENTS = [
  ...['{', '}', '[', ']', ',', ':', '"', '\\', ' ', '\n', '\t', '\u0000', '\ufeff', 'null', 'true', '0', '-', '.5'],
  ...['1e400', '"aud":["api"],', '"aud":"api",', '"nbf":1767225660,', '"nbf":1767225661,', '"exp":1767225541,'],
  ...[
    '"exp":1767225540,',
    '"exp":1e12,',
    '"iat":-1,',
    '"alg":"Ed25519",',
    '"alg":"none",',
    '"alg":"HS256",',
    '"b64":false,',
  ],
  ...[
    '"crit":["b64"],',
    '"typ":"application/at+jwt",',
    '"typ":"JWT",',
    '"kid":"x",',
    '\\u0061',
    '\\ud800',
    '\\ud83d\\ude00',
  ],
  ...['"__proto__":{},', '9007199254740993', '=', '==', '.', '+', '/', '-', '_', 'A', '%41', '\r\n', 'é', '\u2028'],
]

/** The mulberry32 generator. Returns a function that draws an integer below a limit. */
function generator(seed) {
  let state = seed >>> 0
  return limit => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

function damaged(text, draw) {
  const at = draw(text.length + 1)
  const fragment = FRAGMENTS[draw(FRAGMENTS.length)]
  switch (draw(6)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1 + draw(3)) // something is missing
    case 1:
      return text.slice(0, at) + String.fromCharCode(draw(128)) + text.slice(at + 1)
    case 2:
      return text.slice(0, at) + fragment + text.slice(at)
    case 3:
      return text.slice(0, at) + text.slice(draw(at + 1), at + draw(20)) + text.slice(at) // a part occurs twice
    case 4: // a member in the first or last place
      return draw(2) ? `{${fragment}${text.slice(1)}` : `${text.slice(0, -1)},${fragment.replace(/,$/, '')}}`
    default:
      return text.replace(/"(exp|iat)":\d+/, (_, name) => `"${name}":${NOW - 62 + draw(124)}`)
  }
}

function token(draw) {
  const kind = draw(8)
  const parts = [header, payload].map((text, number) => {
    // Half of the tokens have a damaged payload, an eighth a damaged header, and the rest a damaged text.
    const isDamaged = number === 0 ? kind === 0 : kind >= 1 && kind <= 4
    let result = text
    for (let count = isDamaged ? 1 + draw(2) : 0; count > 0; count--) result = damaged(result, draw)
    return Buffer.from(result).toString('base64url')
  })
  const message = parts.join('.')
  const whole = `${message}.${sign(null, Buffer.from(message), key).toString('base64url')}`
  return kind >= 6 ? damaged(whole, draw) : whole
}

test('a mutated token that is accepted here is accepted by jose, with the same claims', async () => {
  const rules = { issuer: 'https://issuer.example', audience: 'api' }
  const verifier = createVerifier({ ...rules, jwks: { keys: [jwk] }, onMissing: 'allow', cacheSize: 0 })
  const at = { currentDate: new Date(NOW * 1000) }
  const keys = jose.createLocalJWKSet({ keys: [jwk] })
  const theirs = {
    ...rules,
    ...at,
    typ: 'at+jwt',
    algorithms: ['EdDSA', 'Ed25519'],
    clockTolerance: 60,
    requiredClaims: ['sub', 'client_id', 'jti', 'exp', 'iat', 'gid', 'sid'],
  }
  const draw = generator(SEED)
  const counts = { accepted: 0, refused: 0 }
  for (let number = 0; number < CASES; number++) {
    const text = token(draw)
    let answer
    try {
      answer = verifier.verify(text, at)
    } catch (error) {
      assert.ok(isTokenError(error), `${error} for ${text}`)
      counts.refused++
      continue
    }
    counts.accepted++
    const judged = await jose.jwtVerify(text, keys, theirs).catch(error => error)
    const where = `case ${number} of seed ${SEED}, ${text}`
    assert.ok(!(judged instanceof Error), `jose refuses ${where}: ${judged}`)
    assert.deepEqual(answer.payload, judged.payload, where)
    assert.deepEqual(answer.protectedHeader, judged.protectedHeader, where)
  }
  // A generator whose tokens are all refused, or all accepted, would test nothing.
  assert.ok(Math.min(counts.accepted, counts.refused) > CASES / 20, JSON.stringify(counts))
  console.log(`${CASES} mutated tokens: ${JSON.stringify(counts)}`)
})
