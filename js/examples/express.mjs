import express from 'express'
import { connectVerifier } from 'doorlist'
import { authenticate, requireScope } from 'doorlist/express'

const { ISSUER = 'http://localhost:8787', PORT = '3000' } = process.env
const verifier = await connectVerifier({ issuer: ISSUER, audience: 'api' }).catch(({ message }) => {
  console.error(`No start without the issuer ${ISSUER}: ${message}`)
  process.exit(1)
})

const app = express()
app.use(authenticate(verifier))
app.get('/me', (request, response) => response.json({ sub: request.auth.payload.sub }))
app.delete('/users/:sub', requireScope('admin'), (request, response) => response.sendStatus(204))

const server = app.listen(PORT, () => console.log(`http://localhost:${Object(server.address()).port}`))
