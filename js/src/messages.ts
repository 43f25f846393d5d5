// The messages of the module's errors. The code and the evidence of an error determine its message (FORMAT.md §9). The
// texts are not in the module, because texts take less space in JavaScript. `verifier-wasm/src/error.rs` has the same
// messages for Rust. Tests compare both with tests/vectors/messages/errors.json.
import type { Code } from '../types/index.js'

type Evidence = Readonly<Record<string, unknown>>

const date = (seconds: unknown) => new Date((seconds as number) * 1000).toISOString().replace('.000', '')

/** Shortens a text and puts it in quotes. Replaces characters that could end the quotes or break a header. */
const quoted = (text: string) => {
  const characters = [...text]
  const shown = characters
    .slice(0, 100)
    .join('')
    .replace(/[^ !#-[\]-~]/gu, '?')
  return `"${shown}${characters.length > 100 ? '...' : ''}"`
}
const listed = (texts: unknown) =>
  (texts as string[]).slice(0, 5).map(quoted).join(', ') + ((texts as string[]).length > 5 ? ', ...' : '')

const by = (texts: Record<string, string>) => (evidence: Evidence) => texts[evidence['reason'] as string] ?? ''

const form = /* @__PURE__ */ by({
  parts: 'not a signed token: it must have three parts with dots between them',
  encoding: 'not a signed token: a part is not base64url without padding; it was cut off or changed in transit',
  header: 'not a token of this kind of issuer: the header of the token must have exactly `alg`, `typ` and `kid`',
  scheme: 'the token begins with `Bearer`: pass only the text after `Bearer`',
  quotes: 'the token is in quotes: remove the quotes',
  white_space: 'the token has white space around it: remove the white space',
  key_id: "not a token of this kind of issuer: the `kid` of the token's header is not an RFC 7638 thumbprint",
})

const list = /* @__PURE__ */ by({
  too_long: 'the revocation list is too long',
  form: 'not a revocation list: it must be a signed token of three parts',
  type: 'not a revocation list: its header has another `typ`',
  payload: 'the payload of the revocation list is not a JSON object with distinct names',
  missing: 'the revocation list lacks the claim',
  malformed: 'the revocation list has a value of the wrong type or out of range, in the claim',
  issuer: 'the revocation list names an unexpected issuer in its claim',
  future: 'the revocation list has a time more than a day ahead of this clock, in its claim',
})

const keys = /* @__PURE__ */ by({
  form: 'not a JWK Set: a JSON object with an array `keys` is expected',
  private: 'the key set holds a private key: remove the private key, and replace it with a new key',
  point: 'the key set holds a key that is not a point of the curve',
  small_order: 'the key set holds a key of small order, for which signatures can be forged: remove this key',
  key_id: 'the key set holds a key whose `kid` is not its RFC 7638 thumbprint',
  too_many: 'the key set is too long, or has too many keys',
})

const revoked: Record<string, string> = {
  gid: "'s group is on the revocation list",
  sid: "'s session is on the revocation list",
  cutoff: ' was issued before the cut-off',
}

const clocks = ({ now, clockTolerance }: Evidence) => `(current time ${date(now)}, clock tolerance ${clockTolerance} s)`

function claimed(evidence: Evidence): string {
  const { claim, reason, expected, actual, time } = evidence
  if (reason === 'missing') return `the claim \`${claim}\` is missing`
  if (reason === 'invalid') return `the claim \`${claim}\` has the wrong type or is out of range`
  switch (claim) {
    case 'iss':
      return `the token's issuer (\`iss\`) is ${quoted(actual as string)}, but ${quoted(expected as string)} is expected: they must be exactly equal`
    case 'aud':
      return `the token is for ${listed(actual)} (\`aud\`), but ${listed(expected)} is expected: ask the issuer for that audience, or change the option \`audience\``
    case 'typ':
      return "the header's `typ` is not that of an access token (`at+jwt`): is this an ID token, or a revocation list?"
    default: {
      const what = claim === 'nbf' ? 'is not valid before' : 'was issued in the future, at'
      return `the token ${what} ${date(time)} ${clocks(evidence)}: are both clocks right?`
    }
  }
}

const isTooLong = ({ limit }: Evidence) => limit !== undefined
const tooLong = (what: string, { length, limit }: Evidence) =>
  `${what} has ${length} characters; at most ${limit} are allowed`

const sentences: Partial<Record<Code, (evidence: Evidence) => string>> = {
  ERR_JWS_INVALID: evidence => (isTooLong(evidence) ? tooLong('the token', evidence) : form(evidence)),
  ERR_JOSE_ALG_NOT_ALLOWED: () =>
    'the signature algorithm must be EdDSA or Ed25519: the text is from another kind of issuer',
  ERR_JWKS_NO_MATCHING_KEY: ({ trusted }) =>
    trusted === 0
      ? "no key is trusted yet, so nothing can be verified: give the issuer's keys (`jwks`), or connect to the issuer"
      : 'signed with a key that is not trusted: the key belongs to another issuer, or was retired',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: () =>
    'the signature does not match: the text was changed, or another key signed it',
  ERR_JWT_INVALID: () => 'the payload is not a JSON object with distinct names',
  ERR_JWT_CLAIM_VALIDATION_FAILED: claimed,
  ERR_JWT_EXPIRED: evidence => `the token expired at ${date(evidence['expiresAt'])} ${clocks(evidence)}`,
  ERR_JWT_REVOKED: ({ by, asOf }) => `revoked: the token${revoked[by as string]} (list as of ${date(asOf)})`,
  ERR_LIST_MISSING: () =>
    'no revocation list was loaded yet, so the token cannot be checked: load one, or connect to the issuer',
  ERR_LIST_STALE: ({ asOf, age, maxStaleness }) =>
    `the revocation list is ${age} s old (as of ${date(asOf)}), and at most ${maxStaleness} s are allowed: no newer list arrived from the issuer`,
  ERR_LIST_INVALID: evidence =>
    isTooLong(evidence)
      ? tooLong('the revocation list', evidence)
      : list(evidence) + (evidence['claim'] === undefined ? '' : ` \`${evidence['claim']}\``),
  ERR_LIST_ROLLBACK: ({ heldEpoch, heldSequence, offeredEpoch, offeredSequence }) =>
    `the revocation list ${offeredEpoch}:${offeredSequence} is older than the list held, ${heldEpoch}:${heldSequence}`,
  ERR_LIST_GAP: ({ since, held }) =>
    `the revocation list is a delta from sequence ${since}, but ${held === undefined ? 'no list is held' : `the list held ends at ${held}`}: load a snapshot`,
  ERR_JWKS_INVALID: keys,
  ERR_OPTIONS_INVALID: ({ option, reason }) =>
    option === undefined
      ? 'an option is missing or has a value that is not allowed'
      : `the option \`${option}\` ${reason}`,
}

/** Returns the message for an error of the module. */
export const messageOf = (code: Code, evidence: Evidence): string => sentences[code]?.(evidence) ?? code
