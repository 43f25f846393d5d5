// Starts a real issuer and sends requests to it. The demo and the tests use this file.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/**
 * @param {object} options
 * @param {string} options.binary path of the `doorlist` binary
 * @param {string} [options.command] `serve` or `demo`
 * @param {string[]} [options.args] further flags
 * @param {number} [options.port] the port; 0 selects a free port
 * @param {string} [options.name] the host in the issuer's URL instead of 127.0.0.1; requires a port other than 0
 * @param {string} [options.store] a store other than the embedded store; `args` must then contain the secrets
 * @param {string} [options.adminKey] the admin key in `args`; default: the key that the issuer creates beside its store
 */
export async function startIssuer({ binary, command = 'serve', args = [], port = 0, name, store, adminKey }) {
  const folder = await mkdtemp(join(tmpdir(), 'doorlist-'))
  const issuer = new Issuer({ binary, command, args, folder, name, store, adminKey })
  try {
    await issuer.start(port)
  } catch (error) {
    await issuer.remove()
    throw error
  }
  return issuer
}

class Issuer {
  #binary
  #command
  #args
  #folder
  #name
  #store
  #child
  #port
  url
  /** The admin key, for requests that this class does not send itself. */
  adminKey

  constructor({ binary, command, args, folder, name, store, adminKey }) {
    this.#binary = binary
    this.#command = command
    this.#args = args
    this.#folder = folder
    this.#name = name
    this.#store = store ?? `embedded:${join(folder, 'doorlist.redb')}`
    this.adminKey = adminKey
  }

  /** Starts the process. At a restart, the process uses the port and the store of the first start. */
  async start(port = this.#port) {
    const args = [this.#command, '--store', this.#store, '--listen', `127.0.0.1:${port}`, ...this.#args]
    const named = this.#name && `http://${this.#name}:${port}`
    if (named) args.push('--issuer', named)
    // The issuer gets all its settings here. Settings in the environment of the caller are for another issuer.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DOORLIST_')))
    const child = spawn(this.#binary, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    const said = []
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', line => {
        said.push(line)
        said.splice(0, said.length - 20)
      })
    }
    const address = await new Promise((resolve, reject) => {
      child.once('error', error =>
        reject(new Error(`${this.#binary} cannot be started (${error.code}); \`make issuer\` builds it`)),
      )
      child.once('exit', code => reject(new Error(`the issuer ended with ${code} at its start:\n${said.join('\n')}`)))
      createInterface({ input: child.stdout }).on('line', line => {
        const address = /listening on (http:\/\/\S+)/.exec(line)?.[1]
        if (address) resolve(address)
      })
    })
    this.#port = Number(new URL(address).port)
    this.url = named ?? address
    this.adminKey ??= (await readFile(join(this.#folder, 'doorlist.redb.admin-key'), 'utf8')).trim()
  }

  /** The id of the running process, or of the last process. */
  get pid() {
    return this.#child?.pid
  }

  /** Stops the process and waits until it has ended. */
  async stop(signal = 'SIGTERM') {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill(signal)
    await gone
  }

  /** Stops the process and removes its store. */
  async remove() {
    if (this.#child) await this.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** Sends `POST /login`. Returns the answer of RFC 6749 §5.1. */
  login(username, password, device) {
    return this.#ask('/login', {
      body: JSON.stringify({ username, password, device }),
      headers: { 'content-type': 'application/json' },
    })
  }

  /** Sends `POST /token`, which exchanges a refresh token for an access token. */
  refresh(refreshToken, clientId) {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      ...(clientId && { client_id: clientId }),
    })
    return this.#ask('/token', { body: form })
  }

  /** Sends a `POST` request to the admin API. Returns the JSON of the answer. */
  admin(path, body) {
    return this.#ask(`/admin${path}`, {
      body: body && JSON.stringify(body),
      headers: { authorization: `Bearer ${this.adminKey}`, ...(body && { 'content-type': 'application/json' }) },
    })
  }

  /** Returns the first page of `GET /admin/subjects`. */
  async subjects() {
    const headers = { authorization: `Bearer ${this.adminKey}` }
    const { subjects } = await this.#ask('/admin/subjects', { method: 'GET', headers })
    return subjects
  }

  async #ask(path, init) {
    const response = await fetch(this.url + path, { method: 'POST', ...init })
    const text = await response.text()
    if (!response.ok)
      throw Object.assign(new Error(`${path} answered ${response.status}: ${text}`), { status: response.status })
    return text && JSON.parse(text)
  }
}
