import type * as Types from '../../types/express.js'
import { guard, note, noted, scopeGuard } from './guard.js'
import type { Refusal } from './refusal.js'

export const authenticate: typeof Types.authenticate = (verifier, options) => {
  const look = guard(verifier, options)
  return (request, response, next) => {
    const { authorization, cookie } = request.headers
    void look(name => (name === 'cookie' ? cookie : authorization)).then(outcome => {
      if (outcome.refusal) return answer(response, outcome.refusal)
      note(request, outcome.auth)
      request.auth = outcome.auth
      next()
    }, next)
  }
}

export const requireScope: typeof Types.requireScope = (...scopes) => {
  const missing = scopeGuard(scopes)
  return (request, response, next) => {
    const refusal = missing(noted(request))
    if (refusal) answer(response, refusal)
    else next()
  }
}

function answer(response: Types.ServerResponse, { status, headers, body }: Refusal): void {
  // While the verifier was refreshed, a timeout handler may have answered the request. Setting headers would then
  // throw, and no caller would catch the error.
  if (response.headersSent) return
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.end(body)
}
