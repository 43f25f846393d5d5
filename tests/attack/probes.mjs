// The requests of clients and operators that must be answered during a flood.
import { request as send } from 'node:http'
import { CLIENT } from './addresses.mjs'

/** A request that takes longer counts as not answered. */
const TIME_OUT_MS = 10_000
const PASSWORD = 'correct horse battery staple'

export class Probes {
  #probes

  constructor(probes) {
    this.#probes = probes
  }

  /** Prepares subjects and sessions. With `logins`, also signs in with a right password. */
  static async of({ url, adminKey }, kind) {
    const port = Number(new URL(url).port)
    const admin = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
    const ask = (method, path, headers, body) => exchange(port, method, path, headers, body)
    const opened = await ask('POST', '/admin/sessions', admin, JSON.stringify({ sub: 'user' }))
    let { refresh_token: token } = JSON.parse(opened.body)
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const refresh = async () => {
      const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }).toString()
      const answer = await ask('POST', '/token', form, body)
      token = JSON.parse(answer.body).refresh_token ?? token
      return answer
    }
    await ask('POST', '/admin/subjects', admin, JSON.stringify({ sub: 'kicked' }))
    const probes = [
      { name: 'GET /healthz', act: () => ask('GET', '/healthz') },
      { name: 'GET /readyz', act: () => ask('GET', '/readyz') },
      { name: 'refresh', act: refresh },
      { name: 'kick', act: () => ask('POST', '/admin/subjects/kicked/revoke', admin) },
    ]
    if (kind === 'logins') {
      await ask('POST', '/admin/subjects', admin, JSON.stringify({ sub: 'owner', password: PASSWORD }))
      const body = JSON.stringify({ username: 'owner', password: PASSWORD })
      probes.push({
        name: 'right login',
        act: () => ask('POST', '/login', { 'content-type': 'application/json' }, body),
      })
    }
    return new Probes(probes)
  }

  static ofNothing(port) {
    return new Probes([{ name: 'a server that does nothing', act: () => exchange(port, 'GET', '/') }])
  }

  /** Sends each request `rounds` times, one after another. Returns the times in milliseconds. */
  async run(rounds) {
    const rows = this.#probes.map(({ name }) => ({ name, times: [], failures: [] }))
    for (let round = 0; round < rounds; round++) {
      for (const [index, { act }] of this.#probes.entries()) {
        const began = performance.now()
        try {
          const { status } = await act()
          if (status >= 400) throw new Error(`status ${status}`)
          rows[index].times.push(performance.now() - began)
        } catch (error) {
          rows[index].failures.push(error.code ?? error.message)
        }
      }
    }
    return rows
  }
}

/** Sends one request over a connection of its own. */
function exchange(port, method, path, headers = {}, body = '') {
  const options = { host: '127.0.0.1', port, method, path, agent: false, localAddress: CLIENT, timeout: TIME_OUT_MS }
  return new Promise((resolve, reject) => {
    const sent = send({ ...options, headers: { ...headers, 'content-length': Buffer.byteLength(body) } }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', part => (text += part))
      response.on('end', () => resolve({ status: response.statusCode, body: text }))
      response.on('error', reject)
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${TIME_OUT_MS / 1000} s`)))
    sent.on('error', reject)
    sent.end(body)
  })
}
