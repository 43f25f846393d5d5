// The worker for workerd. Each request runs one step of a contest. During a request the clock of workerd stands still,
// so the caller measures the time.
import { createVerifier } from 'doorlist'
import * as jose from 'jose'
import lookup from 'lookup.wasm'
import world from 'world.json'
import { contests, firsts } from './contests.mjs'

const makers = contests(world, { createVerifier, jose, lookup })
const steps = {
  nothing: () => null,
  first: contender => first[contender](),
  /** Creates a contest. Returns the number of operations of each contender, and the number of rounds. */
  async make(name) {
    contest = await makers[name]()
    const { contenders, operations, rounds, warmup } = contest
    const count = typeof operations === 'function' ? operations : () => operations
    const counts = Object.keys(contenders).map(contender => [contender, count(contender)])
    return { operations: Object.fromEntries(counts), rounds, warmup }
  },
  async input(round) {
    given = await contest.input(Number(round))
  },
  async own(contender) {
    copy = await (contest.own ?? (all => all))(given, contender)
  },
  run: contender => contest.contenders[contender](copy),
}
const first = firsts(world, { createVerifier, jose })
let contest, given, copy

export default {
  async fetch(request) {
    const [step, argument] = new URL(request.url).pathname.slice(1).split('/').map(decodeURIComponent)
    const answer = await steps[step](argument)
    return Response.json(step === 'make' ? answer : null)
  },
}
