// The adapters in real frameworks, over real HTTP, with tokens of the real issuer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { frameworks } from './frameworks.mjs'
import { connectVerifier, createVerifier, issuerOf, openSession, refusal, verifierOf } from './support.mjs'

const options = { timeout: 60_000 }
const bearer = token => ({ authorization: `Bearer ${token}` })

/** Returns the parts of an answer that a client uses: the status, the body, and some headers. */
async function ask(url, init) {
  const response = await fetch(url, init)
  const { headers } = response
  assert.equal(headers.get('access-control-allow-origin'), '*', 'headers of other middleware are kept')
  assert.equal(headers.get('cache-control'), response.ok ? null : 'no-store')
  return {
    status: response.status,
    body: await response.json(),
    challenge: headers.get('www-authenticate'),
    retryAfter: headers.get('retry-after'),
  }
}

for (const [name, serve] of Object.entries(frameworks)) {
  test(`${name}: a token is required, verified, and refused after its user is kicked`, options, async story => {
    const issuer = await issuerOf(story)
    const verifier = await verifierOf(story, issuer.url)
    const service = await serve(story, verifier)
    const { access_token: token } = await openSession(issuer, 'alice')

    const none = await ask(`${service}/me`)
    assert.deepEqual([none.status, none.challenge], [401, 'Bearer realm="doorlist"'])
    assert.equal(none.body.error, 'invalid_token')

    const good = await ask(`${service}/me`, { headers: bearer(token) })
    assert.deepEqual([good.status, good.body], [200, { sub: 'alice' }])
    const asCookie = await ask(`${service}/me`, { headers: { cookie: `a=1; token=${token}; b=2` } })
    assert.deepEqual(asCookie.body, { sub: 'alice' })

    await issuer.admin('/subjects/alice/revoke')
    await refusal(verifier, token, 'ERR_JWT_REVOKED')

    for (const headers of [bearer(token), { cookie: `token=${token}` }]) {
      const kicked = await ask(`${service}/me`, { headers })
      assert.deepEqual([kicked.status, kicked.body.code], [401, 'ERR_JWT_REVOKED'])
      assert.match(
        kicked.challenge,
        /^Bearer realm="doorlist", error="invalid_token", error_description="revoked: the token's group/,
      )
      assert.ok(!JSON.stringify(kicked).includes(token))
    }
  })

  test(`${name}: scopes, and a token that is optional`, options, async story => {
    const issuer = await issuerOf(story)
    const service = await serve(story, await verifierOf(story, issuer.url))
    const session = scope => issuer.admin('/sessions', { sub: 'bob', ...(scope ? { scope } : {}) })
    const remove = async scope =>
      ask(`${service}/admin/users`, { method: 'DELETE', headers: bearer((await session(scope)).access_token) })

    assert.deepEqual((await remove('read admin write')).body, { deleted: true })
    for (const scope of ['admin', 'administrator write', undefined]) {
      const { status, challenge, body } = await remove(scope)
      assert.deepEqual([status, body.error], [403, 'insufficient_scope'])
      assert.equal(challenge, 'Bearer realm="doorlist", error="insufficient_scope", scope="admin write"')
    }
    assert.equal((await ask(`${service}/admin/users`, { method: 'DELETE' })).status, 401)
    // This route requires a scope but verifies no token. It must refuse every request.
    const { access_token: admin } = await session('admin')
    assert.equal((await ask(`${service}/unguarded`, { headers: bearer(admin) })).status, 401)

    assert.deepEqual((await ask(`${service}/maybe`)).body, { sub: null })
    assert.deepEqual((await ask(`${service}/maybe`, { headers: bearer(admin) })).body, { sub: 'bob' })
    assert.equal((await ask(`${service}/maybe`, { headers: bearer(`${admin}x`) })).status, 401)
  })

  test(`${name}: an error that the token did not cause is answered with 503`, options, async story => {
    const issuer = await issuerOf(story)
    const { access_token: token } = await openSession(issuer, 'alice')
    const jwks = await (await fetch(`${issuer.url}/.well-known/jwks.json`)).json()
    const rules = { issuer: issuer.url, audience: 'api' }
    for (const [verifier, code] of [
      [createVerifier({ ...rules, jwks }), 'ERR_LIST_MISSING'],
      [createVerifier(rules), 'ERR_JWKS_NO_MATCHING_KEY'],
      [
        connectVerifier.lazy({ ...rules, fetch: () => Promise.reject(new TypeError('no network')) }),
        'ERR_LIST_MISSING',
      ],
    ]) {
      const service = await serve(story, verifier)
      const { status, body, retryAfter, challenge } = await ask(`${service}/me`, { headers: bearer(token) })
      assert.deepEqual([status, body.code, retryAfter, challenge], [503, code, '5', null])
    }
  })

  test(`${name}: a lazy verifier is refreshed in each request`, options, async story => {
    const issuer = await issuerOf(story)
    const { access_token: token } = await openSession(issuer, 'alice')
    const service = await serve(story, connectVerifier.lazy({ issuer: issuer.url, audience: 'api' }))
    const me = () => ask(`${service}/me`, { headers: bearer(token) })
    assert.equal((await me()).status, 200)
    await issuer.admin('/subjects/alice/revoke')
    let answer = await me()
    while (answer.status === 200) answer = await me()
    assert.deepEqual([answer.status, answer.body.code], [401, 'ERR_JWT_REVOKED'])
  })
}
