// A verifier in a service: the package runs in this process.
import { setTimeout as pause } from 'node:timers/promises'
import { connectVerifier, isTokenError } from '../../dist/index.js'

/** @param {'stream' | 'poll'} mode how the verifier gets new lists */
export const nodeVerifier = mode => async issuer => {
  const transport = mode === 'poll' ? 'poll' : 'auto'
  const verifier = await connectVerifier({ issuer, audience: 'api', transport })

  const verify = token => {
    try {
      const { freshness } = verifier.verify(token)
      return { accepted: true, freshness }
    } catch (error) {
      if (!isTokenError(error)) throw error
      return { accepted: false, code: error.code }
    }
  }

  return {
    name: 'Node.js',
    mode,
    verify,
    close: () => verifier.close(),

    async watch(token) {
      const refusal = new Promise(resolve => {
        verifier.on('change', () => {
          const { accepted, code } = verify(token)
          if (!accepted) resolve({ at: performance.timeOrigin + performance.now(), code })
        })
      })
      return () => refusal
    },

    pause: () => pause(100),
  }
}
