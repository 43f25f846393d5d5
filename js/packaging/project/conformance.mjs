// Runs every vector (tests/vectors/README.md) through the installed package. Every runtime runs this check.

/** Returns the number of vectors that ran, and one sentence for each vector with an unexpected result. */
export function conformance(doorlist, vectors) {
  const failed = vectors.flatMap(vector => {
    const difference = firstDifference(run(doorlist, vector), expected(vector), 'answer')
    return difference === undefined ? [] : [`${vector.name}: ${difference}`]
  })
  return { ran: vectors.length, failed }
}

/**
 * `again` is the result of a second call with the same token. After the first call the verifier remembers an accepted
 * token. The results of both calls must be equal.
 */
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
  // In the core, an empty set means that there are no keys. The package refuses an empty set as `jwks`, because a
  // caller could wrongly assume that an empty set pins keys. Without this option there are no keys either, so the
  // option is left out here.
  const jwks = input.jwks.keys?.length === 0 ? undefined : input.jwks
  const made = outcome(() => ({ verifier: createVerifier({ ...policy, jwks }) }))
  if (made.verifier === undefined) return { lists: [], token: made, again: made }
  const lists = input.lists.map(step => outcome(() => made.verifier.load(step.list, at(step.now ?? now))))
  const verify = () => outcome(() => made.verifier.verify(input.token, at(now)))
  return { lists, token: verify(), again: verify() }
}

/** Compares only the expected members. Further members are allowed. */
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
