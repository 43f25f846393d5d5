import type { bind as Bind } from '../../types/slim.js'
import { makeConnectVerifier, makeCreateVerifier } from '../api.js'
import { lazily } from '../wasm.js'

export { TokenError, codes, isTokenError, isTokensFault } from '../errors.js'

export const bind: typeof Bind = source => {
  const instantiate = lazily(source)
  return { createVerifier: makeCreateVerifier(instantiate), connectVerifier: makeConnectVerifier(instantiate) }
}
