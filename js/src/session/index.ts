import type { CreateSession } from '../../types/session.js'
import { checkOptions } from './options.js'
import { browser } from './platform.js'
import { startSession } from './session.js'

export { SessionError, isSessionError } from './errors.js'

export const createSession: CreateSession = options => startSession(checkOptions(options), browser())
