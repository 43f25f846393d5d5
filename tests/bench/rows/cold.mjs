// Verifies new tokens. Every contender checks claims, issuer, audience and time. Doorlist also checks a list of 10,000
// handles.
import { verifierWith } from '../lib/doorlist.mjs'
import { buffers, fresh, interleaved, oneAfterAnother } from '../lib/measure.mjs'
import { bare, peers, taken } from '../lib/peers.mjs'
import { handle, list, sample, tokens } from '../lib/world.mjs'

const TOKENS = 250
/** This contender is ten times slower than the others. It gets fewer tokens, and its figure is still precise enough. */
const SLOW = '@noble/ed25519'

export async function cold() {
  const revoked = Array.from(sample(10_000, 1_000_000), handle)
  const verifier = verifierWith([await list(revoked, { seq: revoked.length })])
  const whole = { doorlist: token => verifier.verify(token) }
  for (const [name, make] of Object.entries(peers)) whole[name] = await make()
  const signatures = {}
  for (const [name, make] of Object.entries(bare)) signatures[name] = await make()

  const contenders = {}
  for (const [name, verify] of Object.entries({ ...whole, ...signatures })) contenders[name] = oneAfterAnother(verify)
  return interleaved({
    contenders,
    input: async round => buffers(await tokens(TOKENS, round * TOKENS)),
    own: (all, name) => {
      const strings = all.slice(0, count(name)).map(fresh)
      return name in signatures ? strings.map(taken) : strings
    },
    operations: count,
    rounds: 15,
    warmup: 3,
  })
}

const count = name => (name === SLOW ? TOKENS / 10 : TOKENS)
