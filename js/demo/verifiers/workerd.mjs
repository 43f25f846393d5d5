// An edge worker: the package in a real workerd, asked over HTTP as it would be at the edge.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import workerd from 'workerd'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))

const worker = (issuer) => `
import { connectVerifier, isTokenError } from 'doorlist/workerd.js'

const verifier = connectVerifier.lazy({ issuer: ${JSON.stringify(issuer)}, audience: 'api' })

export default {
  async fetch(request, env, ctx) {
    await verifier.refresh(ctx)
    try {
      const { freshness } = verifier.verify(await request.text())
      return Response.json({ accepted: true, freshness })
    } catch (error) {
      if (!isTokenError(error)) throw error
      return Response.json({ accepted: false, code: error.code })
    }
  },
}
`

const config = (port) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [
        (name = "worker.js", esModule = embed "worker.js"),
        (name = "doorlist/workerd.js", esModule = embed "${join(dist, 'workerd.js')}"),
        (name = "doorlist/verifier.wasm", wasm = embed "${join(dist, 'verifier.wasm')}"),
      ],
      compatibilityDate = "2026-01-01",
      globalOutbound = "loopback",
    )),
    (name = "loopback", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`

export async function workerdVerifier(issuer) {
  const folder = await mkdtemp(join(tmpdir(), 'doorlist-worker-'))
  const port = await freePort()
  await writeFile(join(folder, 'worker.js'), worker(issuer))
  await writeFile(join(folder, 'config.capnp'), config(port))
  const child = spawn(workerd.default ?? workerd, ['serve', join(folder, 'config.capnp')], { stdio: ['ignore', 'inherit', 'inherit'] })
  const gone = once(child, 'exit')

  const verify = async (token) => (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: token })).json()

  return {
    name: 'workerd',
    mode: 'per request',
    verify,

    async close() {
      child.kill()
      await gone
      await rm(folder, { recursive: true, force: true })
    },

    async watch(token) {
      const refusal = (async () => {
        for (;;) {
          const { accepted, code } = await verify(token)
          if (!accepted) return { at: performance.timeOrigin + performance.now(), code }
        }
      })()
      return () => refusal
    },

    pause: () => pause(100),
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
