import type { CreateSession } from '../../types/session.js'
import { mustHave } from './errors.js'
import { checkOptions } from './options.js'
import { browser } from './platform.js'
import { startSession } from './session.js'

export { SessionError, isSessionError } from './errors.js'

export const createSession: CreateSession = options => {
  mustHave('AbortController', 'URL', 'atob', 'performance', options?.fetch ? 'URL' : 'fetch')
  return startSession(checkOptions(options), browser())
}
