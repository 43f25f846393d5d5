// Errors that are thrown in a worker: two in the plain form of the README, and one unconverted.
import { createVerifier } from 'doorlist'
import { createSession } from 'doorlist/session'

// A rejected promise alone would not reach the page.
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
