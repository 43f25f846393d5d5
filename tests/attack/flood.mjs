// One client that opens as many connections as it can. A connection that the server closes is opened again.
//
//   flood.mjs streams|logins NUMBER PORT
import { connect } from 'node:net'
import { FLOODER } from './addresses.mjs'

/**
 * Pause before a connection is opened again. An address has about 28,000 ports. A port is used again only a minute after
 * its connection was closed, so a shorter pause would use up the ports of this client.
 */
const PAUSE_MS = 30_000
/** Connections that are opened in one turn of the event loop. */
const STEP = 100

const [kind, number, port] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const answers = {}
let [opened, isReported] = [0, false]

process.on('message', () => process.send(answers))
process.on('disconnect', () => process.exit())
step()

function step() {
  for (let n = 0; n < STEP && opened < number; n++, opened++) open()
  if (opened < number) return setImmediate(step)
  if (!isReported) process.send('flooding')
  isReported = true
}

function open() {
  const socket = connect({ host: '127.0.0.1', port, localAddress: FLOODER })
  socket.on('connect', () => socket.write(request()))
  socket.on('data', data => {
    const status = /^HTTP\/1\.1 (\d+)/.exec(data.toString('latin1'))?.[1]
    if (status) count(status)
    if (kind === 'logins' && status) socket.write(request())
  })
  socket.on('error', error => count(error.code))
  socket.on('close', () => setTimeout(open, PAUSE_MS))
}

function request() {
  if (kind === 'streams') return 'GET /revocations/stream HTTP/1.1\r\nhost: issuer\r\n\r\n'
  const body = JSON.stringify({ username: `user-${Math.trunc(Math.random() * 1e6)}`, password: 'wrong password' })
  return `POST /login HTTP/1.1\r\nhost: issuer\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

function count(answer) {
  answers[answer] = (answers[answer] ?? 0) + 1
}
