// The verifiers of the demo. Node.js is always available. If another runtime is missing, the demo leaves out its
// verifier.
import { note } from '../terminal.mjs'
import { chromiumVerifier } from './chromium.mjs'
import { nodeVerifier } from './node.mjs'
import { workerdVerifier } from './workerd.mjs'

const RUNTIMES = [
  { name: 'Node.js', start: nodeVerifier('stream') },
  { name: 'Node.js', start: nodeVerifier('poll') },
  { name: 'The edge worker (workerd)', start: workerdVerifier, optional: true },
  { name: 'The browser (Chromium)', start: chromiumVerifier, optional: true },
]

/**
 * Starts one verifier after another. Yields each verifier as soon as the verifier runs.
 * @param {string} issuer the URL of the issuer
 * @param {boolean} [all] whether a missing runtime is an error; default: false, so that only a line is printed
 */
export async function* startVerifiers(issuer, all = false) {
  for (const { name, start, optional } of RUNTIMES) {
    let verifier
    try {
      verifier = await start(issuer)
    } catch (error) {
      if (all || !optional) throw error
      note(`${name} is left out: ${firstLine(error)}`)
      continue
    }
    yield verifier
  }
}

/** The error messages of a browser driver contain pages of log output, so only the first line is shown. */
const firstLine = ({ message }) => message.split('\n', 1)[0]
