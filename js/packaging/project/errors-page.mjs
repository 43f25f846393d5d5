import { TokenError, isTokenError } from 'doorlist'
import { SessionError, isSessionError } from 'doorlist/session'

const worker = new Worker('worker.js')
worker.onerror = ({ message }) => console.error(message)
worker.onmessage = ({ data: { refused, signedOut, bare } }) => {
  const made = TokenError.from(refused)
  const madeOfSession = SessionError.from(signedOut)
  const result = {
    recognised: [isTokenError(refused, made.code), isSessionError(signedOut, madeOfSession.code)],
    confused: [isTokenError(signedOut), isSessionError(refused), isTokenError(bare)],
    made: [
      made instanceof TokenError,
      madeOfSession instanceof SessionError,
      typeof made.stack,
      typeof madeOfSession.stack,
    ],
    same:
      [made.toJSON(), madeOfSession.toJSON()].map(error => JSON.stringify(error)).join() ===
      [refused, signedOut].map(error => JSON.stringify(error)).join(),
    codes: [made.code, madeOfSession.code],
  }
  console.log(JSON.stringify(result))
}
worker.postMessage('no token')
