// One check for every runtime: each vector (tests/vectors/README.md) through the package as it was installed.

/** Answers with how many vectors ran, and a sentence for each that came out otherwise. */
export function conformance(doorlist, vectors) {
  const failed = vectors.flatMap(vector => {
    const difference = firstDifference(run(doorlist, vector), expected(vector), 'answer')
    return difference === undefined ? [] : [`${vector.name}: ${difference}`]
  })
  return { ran: vectors.length, failed }
}

/** `again`: of a token that was accepted the second answer comes from memory, and is the same. */
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
  // As an option an empty set would look like pinned keys, and is refused; for the core it is none.
  const jwks = input.jwks.keys?.length === 0 ? undefined : input.jwks
  const made = outcome(() => ({ verifier: createVerifier({ ...policy, jwks }) }))
  if (made.verifier === undefined) return { lists: [], token: made, again: made }
  const lists = input.lists.map(step => outcome(() => made.verifier.load(step.list, at(step.now ?? now))))
  const verify = () => outcome(() => made.verifier.verify(input.token, at(now)))
  return { lists, token: verify(), again: verify() }
}

/** What is expected must be there; there may be more. */
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
