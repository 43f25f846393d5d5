import { createServer } from 'node:http'
import { connectVerifier } from 'doorlist'
import { authenticate, requireScope } from 'doorlist/express' // does not need Express

const { ISSUER = 'http://localhost:8787', PORT = '3000' } = process.env
const verifier = await connectVerifier({ issuer: ISSUER, audience: 'api' }).catch(({ message }) => {
  console.error(`No start without the issuer ${ISSUER}: ${message}`)
  process.exit(1)
})

const signedIn = authenticate(verifier)
const admin = requireScope('admin')

const server = createServer((request, response) =>
  signedIn(request, response, error => {
    if (error) return response.writeHead(500).end() // no token was verified
    if (request.method === 'GET' && request.url === '/me')
      return response.end(JSON.stringify({ sub: request.auth.payload.sub }))
    if (request.method === 'DELETE') return admin(request, response, () => response.writeHead(204).end())
    response.writeHead(404).end()
  }),
)
server.listen(PORT, () => console.log(`http://localhost:${Object(server.address()).port}`))
