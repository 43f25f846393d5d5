// A verifier in an edge worker: the package runs in a real workerd, which gets its tokens over HTTP.
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'
import { workerd } from '../../packaging/tools.mjs'

export async function workerdVerifier(issuer) {
  const server = await workerd('worker.capnp', fileURLToPath(new URL('.', import.meta.url)), { ISSUER: issuer })

  const verify = async token => {
    const response = await fetch(server.address, { method: 'POST', body: token })
    const text = await response.text()
    if (!response.ok) throw new Error(`the worker answered ${response.status}: ${text}`)
    return JSON.parse(text)
  }

  return {
    name: 'workerd',
    mode: 'per request',
    verify,
    close: () => server.stop(),

    async watch(token) {
      const refusal = (async () => {
        for (;;) {
          const { accepted, code } = await verify(token)
          if (!accepted) return { at: performance.timeOrigin + performance.now(), code }
          await pause(1) // lets the other verifiers of this process run
        }
      })()
      return () => refusal
    },

    pause: () => pause(100),
  }
}
