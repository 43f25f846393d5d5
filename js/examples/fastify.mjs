import fastify from 'fastify'
import { connectVerifier } from 'doorlist'
import { authenticate, requireScope } from 'doorlist/fastify'

const { ISSUER = 'http://localhost:8787', PORT = '3000' } = process.env
const verifier = await connectVerifier({ issuer: ISSUER, audience: 'api' }).catch(({ message }) => {
  console.error(`No start without the issuer ${ISSUER}: ${message}`)
  process.exit(1)
})

const app = fastify()
await app.register(authenticate(verifier)) // for this scope and its children
app.get('/me', request => ({ sub: request.user.sub }))
app.delete('/users/:sub', { onRequest: requireScope('admin') }, (request, reply) => reply.code(204).send())

console.log(await app.listen({ host: '127.0.0.1', port: Number(PORT) }))
