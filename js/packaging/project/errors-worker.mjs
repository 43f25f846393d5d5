// Errors as they are thrown in a worker, in the plain form that the README has, and one as it is.
import { createVerifier } from 'doorlist'
import { createSession } from 'doorlist/session'

// A rejection alone would not reach the page.
onmessage = ({ data }) =>
  tell(data).catch(error =>
    setTimeout(() => {
      throw error
    }),
  )

async function tell(token) {
  const thrownBy = async act => {
    try {
      await act()
    } catch (error) {
      return error
    }
    throw new Error(`nothing was thrown by ${act}`)
  }
  const verifier = createVerifier({ issuer: 'https://issuer.example', audience: null })
  const refused = await thrownBy(() => verifier.verify(token))
  const session = createSession({ issuer: 'https://issuer.example', storage: 'memory', fetch })
  const signedOut = await thrownBy(() => session.getAccessToken())
  session.close()
  postMessage({ refused: refused.toJSON(), signedOut: signedOut.toJSON(), bare: refused })
}
