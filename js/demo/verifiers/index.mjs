// The verifiers of the demo. Node.js is always available. If another runtime is missing, the story continues
// without it.
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
 * Starts one verifier after another, and yields each as soon as it runs.
 * @param {string} issuer its address
 * @param {boolean} [all] fail if a runtime is missing, as the tests require; by default one line reports it
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

/** The errors of a browser driver contain pages of log output. */
const firstLine = ({ message }) => message.split('\n', 1)[0]
