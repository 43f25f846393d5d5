// The first inputs of each fuzz target, made from the test vectors.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))
const vectors = fileURLToPath(new URL('../vectors/', import.meta.url))
const cases = readdirSync(vectors)
  .filter(name => name.endsWith('.json'))
  .flatMap(name => JSON.parse(readFileSync(join(vectors, name), 'utf8')))
const tokens = cases.map(({ input }) => input.token).filter(token => token !== undefined)
const lists = cases.flatMap(({ input }) => input.lists.map(({ list }) => list))
const keySets = cases.map(({ input }) => JSON.stringify(input.jwks))
/** The decoded part of a JWS; empty if the text has no such part. */
const part = (text, number) => Buffer.from(text.split('.')[number] ?? '', 'base64url').toString('latin1')
const signed = texts => texts.map(text => `${part(text, 0)}\n${part(text, 1)}`)
const handles = lists.map(list => {
  try {
    return Buffer.from(JSON.parse(part(list, 1)).revoked, 'base64url').toString('latin1')
  } catch {
    return ''
  }
})
const trust = keySets.map(text => text.replace(/}$/, ',"dropped":["kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"]}'))
const request = (line, headers = '', body = '') =>
  `${line} HTTP/1.1\r\nHost: issuer\r\n${headers}${body ? `Content-Length: ${body.length}\r\n` : ''}\r\n${body}`
const JSON_TYPE = 'Content-Type: application/json\r\n'
const FORM = 'Content-Type: application/x-www-form-urlencoded\r\n'
const OPERATOR = 'Authorization: Bearer the-admin-key-of-the-fuzzer\r\n'

/** The seeds by target. A string has one byte a character. */
const SEEDS = {
  claims: () => tokens.map(token => part(token, 1)),
  cursor: () => ['00000000000000ab:100', '00000000000000ab', '0:1', 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'],
  differential: () => signed(tokens),
  http_request: () => [
    request('GET /healthz'),
    request('GET /revocations?since=00000000000000ab:1&fresh=1'),
    request('GET /.well-known/jwks.json', 'If-None-Match: "a"\r\nOrigin: https://app.example\r\n'),
    request('OPTIONS /token', 'Origin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n'),
    request('POST /login', JSON_TYPE, '{"username":"alice","device":"laptop"}'),
    request('POST /token', FORM, 'grant_type=refresh_token&refresh_token=AQID'),
    request(
      'POST /token',
      'Cookie: __Host-doorlist=AQID\r\nSec-Fetch-Site: same-origin\r\n' + FORM,
      'grant_type=refresh_token',
    ),
    request('POST /revoke', FORM, 'token=AQID'),
    request('POST /introspect', OPERATOR + FORM, `token=${tokens[0]}`),
    request('GET /sessions', `Authorization: Bearer ${tokens[0]}\r\n`),
    request('GET /admin/subjects?after=a&limit=2', OPERATOR),
    request('POST /admin/sessions', OPERATOR + JSON_TYPE, '{"sub":"bob","scope":"a b","claims":{"x":[1]}}'),
    request('PUT /admin/subjects/bob/claims', OPERATOR + JSON_TYPE, '{"claims":{}}'),
    request('POST /admin/subjects/b%6fb/revoke?gid=00000000000000aa', OPERATOR),
    request('DELETE /admin/subjects/bob/sessions/00000000000000aa', OPERATOR),
    request('POST /admin/cutoff', OPERATOR + JSON_TYPE, '{"end_sessions":false}'),
    `POST /token HTTP/1.1\r\nHost: a\r\n${FORM}Transfer-Encoding: chunked\r\n\r\n5\r\na=b&c\r\n0\r\nx: y\r\n\r\n`,
  ],
  json: () => [...tokens, ...lists].flatMap(text => [part(text, 0), part(text, 1)]),
  key_set: () => keySets,
  list: () => [],
  list_payload: () => [...lists.map(list => part(list, 1)), ...handles],
  refresh_token: () => ['AQID', '!\0\x01A', 'alice'],
  saved_state: () => trust,
  token: () => [...tokens, ...tokens.map(token => `!${part(token, 1)}`), ...signed(tokens).map(text => `!${text}`)],
}

/** Writes the seeds of a target into its corpus. */
export function seed(target) {
  const corpus = join(folder, 'corpus', target)
  mkdirSync(corpus, { recursive: true })
  for (const text of new Set(SEEDS[target]())) {
    const bytes = Buffer.from(text, 'latin1')
    writeFileSync(join(corpus, createHash('sha1').update(bytes).digest('hex')), bytes)
  }
}
