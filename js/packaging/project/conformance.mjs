// One check for every runtime: runs each vector (tests/vectors/README.md) through the installed package.

/** Returns the number of vectors that ran, and a sentence for each one with an unexpected result. */
export function conformance(doorlist, vectors) {
  const failed = vectors.flatMap(vector => {
    const difference = firstDifference(run(doorlist, vector), expected(vector), 'answer')
    return difference === undefined ? [] : [`${vector.name}: ${difference}`]
  })
  return { ran: vectors.length, failed }
}

/** `again`: the second answer for an accepted token comes from memory, and must be the same. */
const expected = ({ input, expect }) => ({ lists: input.lists.map(step => step.expect), token: expect, again: expect })

function run({ createVerifier, isTokenError }, { now, policy, input }) {
  const at = seconds => ({ currentDate: new Date(seconds * 1000) })
  const outcome = call => {
    try {
      return call()
    } catch (error) {
      return isTokenError(error) ? { code: error.code, evidence: error.evidence } : { unnamed: String(error) }
    }
  }
  // The option `jwks` must not be an empty set, because that looks like pinned keys. The core treats an empty
  // set as no keys.
  const jwks = input.jwks.keys?.length === 0 ? undefined : input.jwks
  const made = outcome(() => ({ verifier: createVerifier({ ...policy, jwks }) }))
  if (made.verifier === undefined) return { lists: [], token: made, again: made }
  const lists = input.lists.map(step => outcome(() => made.verifier.load(step.list, at(step.now ?? now))))
  const verify = () => outcome(() => made.verifier.verify(input.token, at(now)))
  return { lists, token: verify(), again: verify() }
}

/** All expected members must be present. Additional ones are allowed. */
function firstDifference(got, wanted, path) {
  if (wanted === null || typeof wanted !== 'object') {
    return got === wanted ? undefined : `${path} is ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`
  }
  if (got === null || typeof got !== 'object') return `${path} is ${JSON.stringify(got)}`
  for (const [name, value] of Object.entries(wanted)) {
    const difference = firstDifference(got[name], value, `${path}.${name}`)
    if (difference !== undefined) return difference
  }
  return undefined
}
