// A WebSocket lives longer than a request. The server closes a connection when the user of the connection is kicked, or
// when the token of the connection expires.
import express from 'express'
import { WebSocketServer } from 'ws'
import { connectVerifier, isTokenError } from 'doorlist'
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

/** The result of `verify` for each open socket. */
const present = new Map()
// A page cannot set a header for a WebSocket. So the page sends the token as a second subprotocol, after the real
// subprotocol.
const sockets = new WebSocketServer({ server, handleProtocols: offered => offered.has('chat') && 'chat' })

sockets.on('connection', (socket, request) => {
  // Without this listener, a client could end this process with an invalid frame.
  socket.on('error', error => console.error(error.message))
  try {
    const token = request.headers['sec-websocket-protocol']?.split(/, */).find(name => name.includes('.')) ?? ''
    const auth = verifier.verify(token)
    present.set(socket, auth)
    const over = setTimeout(() => socket.close(4401, 'ERR_JWT_EXPIRED'), auth.payload.exp * 1000 - Date.now())
    socket.on('close', () => {
      clearTimeout(over)
      present.delete(socket)
    })
    socket.on('message', text => {
      // A client can still send messages after the server has begun to close the connection. Messages of a kicked user
      // are ignored.
      if (socket.readyState === socket.OPEN) socket.send(`${auth.payload.sub}: ${text}`)
    })
  } catch (error) {
    socket.close(4401, isTokenError(error) ? error.code : undefined)
  }
})

verifier.on('change', () => {
  for (const [socket, auth] of present) {
    try {
      verifier.assertNotRevoked(auth.payload, auth)
    } catch (error) {
      socket.close(4401, isTokenError(error) ? error.code : undefined)
    }
  }
})
