// The verifiers of the demo. Node.js is always there; the other runtimes may be missing on a machine, and the story
// goes on without them.
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
 * Starts one after another, and hands each over as soon as it runs.
 * @param {string} issuer its address
 * @param {boolean} [all] fail where a runtime is missing, as tests want it; without, one line says so
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

/** The errors of a browser's driver are pages of logs. */
const firstLine = ({ message }) => message.split('\n', 1)[0]
