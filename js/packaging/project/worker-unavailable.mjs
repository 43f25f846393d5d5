// Imports the file that Node uses. This file contains the module as bytes, and workerd cannot compile these bytes.
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
