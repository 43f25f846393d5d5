// A server that answers every request with 204, and keeps streams open.
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  if (!request.url.endsWith('/stream')) response.writeHead(204).end()
  else response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n')
})
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
