// Runs oidc-provider in the same way as its users do, with a store in memory. The provider supports the grant
// `refresh_token` with rotation, and its access tokens are JWTs with EdDSA. Prints the address of the provider and the
// first refresh tokens as one line of JSON. Ends when the standard input ends.
import { once } from 'node:events'
import { createServer } from 'node:http'

// oidc-provider warns about this version of Node and about the store in memory. The measurement uses this version and
// this store on purpose.
console.warn = () => {}
const { default: Provider } = await import('oidc-provider')
const { default: MemoryAdapter } = await import('oidc-provider/lib/adapters/memory_adapter.js')

const CLIENT = 'web'
const RESOURCE = 'urn:api'
const SCOPE = 'read write'
const [clients, adapter] = [Number(process.argv[2]), process.argv[3]]
/** The key of RFC 8037, appendix A. */
const key = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
}

/**
 * An adapter that keeps all items. The adapter of oidc-provider keeps only the last 1,000 items, so under load a client
 * sometimes loses its session.
 */
class OwnAdapter extends MemoryAdapter {
  static #kept = new Map()

  constructor(model) {
    super(model, OwnAdapter.#kept)
  }
}

/** The simplest and fastest adapter. The adapter of oidc-provider becomes slower with each refresh of a grant. */
class PlainAdapter {
  static #kept = new Map()
  #key

  constructor(model) {
    this.#key = id => `${model}:${id}`
  }

  async upsert(id, payload) {
    PlainAdapter.#kept.set(this.#key(id), payload)
  }

  async find(id) {
    return PlainAdapter.#kept.get(this.#key(id))
  }

  async consume(id) {
    PlainAdapter.#kept.get(this.#key(id)).consumed = Math.floor(Date.now() / 1000)
  }

  async destroy(id) {
    PlainAdapter.#kept.delete(this.#key(id))
  }

  async revokeByGrantId() {
    throw new Error('no refresh token is used twice here')
  }
}

const server = createServer()
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address()
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: CLIENT,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: ['https://client.example/cb'],
      id_token_signed_response_alg: 'EdDSA',
    },
  ],
  jwks: { keys: [{ ...key, alg: 'EdDSA', use: 'sig' }] },
  adapter: adapter === 'own' ? OwnAdapter : PlainAdapter,
  cookies: { keys: ['measurements'] },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  rotateRefreshToken: true,
  scopes: ['openid', 'offline_access', 'read', 'write'],
  enabledJWA: { idTokenSigningAlgValues: ['EdDSA'] },
  ttl: { AccessToken: 900, RefreshToken: 30 * 86_400, Grant: 30 * 86_400, IdToken: 900 },
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: SCOPE,
        audience: 'api',
        accessTokenTTL: 900,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'EdDSA' } },
      }),
    },
  },
})
provider.on('server_error', (_, error) => console.error(error))
server.on('request', provider.callback())

const client = await provider.Client.find(CLIENT)
const refreshTokens = []
for (let number = 0; number < clients; number++) refreshTokens.push(await refreshTokenOf(`user-${number}`))
console.log(JSON.stringify({ address: `127.0.0.1:${port}`, path: '/token', client: CLIENT, refreshTokens }))
process.stdin.resume()
process.stdin.on('end', () => process.exit())

/** Creates the same kind of refresh token as the code flow, but without the pages of this flow. */
async function refreshTokenOf(accountId) {
  const grant = new provider.Grant({ accountId, clientId: CLIENT })
  grant.addOIDCScope('offline_access')
  grant.addResourceScope(RESOURCE, SCOPE)
  const grantId = await grant.save()
  const token = new provider.RefreshToken({
    accountId,
    client,
    grantId,
    gty: 'authorization_code',
    scope: `offline_access ${SCOPE}`,
    resource: RESOURCE,
    claims: {},
  })
  return token.save()
}
