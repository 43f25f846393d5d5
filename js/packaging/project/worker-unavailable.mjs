// Uses the file for Node, whose wasm bytes this runtime does not compile.
import { createVerifier } from 'doorlist'

export default {
  fetch() {
    try {
      createVerifier({ issuer: 'https://issuer.example', audience: null })
      return new Response('made', { status: 500 })
    } catch (error) {
      return Response.json({ ...error.toJSON(), cause: String(error.cause) })
    }
  },
}
