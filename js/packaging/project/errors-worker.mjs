// Causes two errors in a worker, and sends them to the page. `refused` and `signedOut` are in the plain form, which the
// README recommends. `bare` is the error of `refused`, but is not converted to the plain form.
import { createVerifier } from 'doorlist'
import { createSession } from 'doorlist/session'

// The error is thrown in a timer, because the page does not learn of a rejected promise.
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
