// The contests that run in every runtime, as options of `interleaved`. Tokens, lists, contenders and rounds are the
// same everywhere. This file depends on no runtime: each runtime passes the libraries that it can load.
import { oneAfterAnother } from '../lib/measure.mjs'
import { doorlistWith, fastJwtVerify, joseVerify, webCryptoVerify } from '../lib/verifiers.mjs'
import { lookups } from './lookups.mjs'
import { SIZES } from './sizes.mjs'

/** The size of both caches. It is larger than the number of live tokens. */
const CACHE = 32_768
/**
 * After a delta, each token is verified twice. `CHANGED` is the first verification, and `RECHECKED` is the second
 * verification.
 */
export const CHANGED = 'doorlist, list just changed'
export const RECHECKED = 'doorlist, checked again since'
/** The verifier remembers no tokens, so every check verifies the signature. */
export const FORGETFUL = 'doorlist, remembering nothing'
export const FAST_JWT = 'fast-jwt, its cache'
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * @param {object} world the result of `makeWorld`
 * @param {{ createVerifier: Function, jose: object, fastJwt?: object, lookup: WebAssembly.Module }} libraries
 * @returns functions that create the contests, by the name of the contest
 */
export const contests = (world, libraries) => ({
  cold: () => cold(world, libraries),
  warm: () => warm(world, libraries),
  'large list': () => largeList(world, libraries),
})

async function cold(world, { createVerifier, jose, fastJwt }) {
  const verifier = doorlistWith(createVerifier, world, [world.list])
  const contenders = { doorlist: token => verifier.verify(token), jose: await joseVerify(jose, world) }
  if (fastJwt) contenders['fast-jwt'] = fastJwtVerify(fastJwt, world, false)
  contenders.WebCrypto = await webCryptoVerify(world)
  const { calls, ...size } = SIZES.cold
  return {
    ...size,
    contenders: mapped(contenders, oneAfterAnother),
    // Each round has other tokens, so no contender sees a token twice.
    input: round => world.tokens.slice(round * calls, (round + 1) * calls).map(bytes),
    own: (tokens, name) => (name === 'WebCrypto' ? tokens.map(taken) : tokens.map(fresh)),
    operations: calls,
  }
}

/** Every contender has seen every live token before. */
export function warm(world, { createVerifier, fastJwt }) {
  const live = world.tokens.map(bytes)
  const { calls, ...size } = SIZES.warm
  const verifier = cacheSize => doorlistWith(createVerifier, world, [world.list], { cacheSize })
  const [steady, changed, rechecked, forgetful] = [CACHE, CACHE, CACHE, 0].map(verifier)
  const verify = {
    doorlist: token => steady.verify(token),
    [CHANGED]: token => changed.verify(token),
    [RECHECKED]: token => rechecked.verify(token),
    [FORGETFUL]: token => forgetful.verify(token),
  }
  if (fastJwt) verify[FAST_JWT] = fastJwtVerify(fastJwt, world, CACHE)
  for (const [name, one] of Object.entries(verify)) {
    for (const token of name === FORGETFUL ? live.slice(0, calls) : live) one(fresh(token))
  }
  const each = one => order => {
    for (let index = 0; index < order.length; index++) one(fresh(order[index]))
  }
  // `FORGETFUL` is many times slower than the other contenders. It gets fewer calls, and its figure is still precise
  // enough.
  const operations = name => (name === FORGETFUL ? calls / 10 : calls)
  const before = {
    [CHANGED]: round => changed.load(world.deltas[round]),
    [RECHECKED](round, order) {
      rechecked.load(world.deltas[round])
      for (const token of order) rechecked.verify(fresh(token))
    },
  }
  return {
    ...size,
    contenders: mapped({ ...verify, 'the string alone': token => token }, each),
    input: round => ({ round, order: world.orders[round].map(index => live[index]) }),
    own({ round, order }, name) {
      before[name]?.(round, order)
      return order.slice(0, operations(name))
    },
    operations,
  }
}

function largeList(world, { createVerifier, lookup }) {
  const verifier = lists => doorlistWith(createVerifier, world, lists)
  const { deltas, lookups: many, ...size } = SIZES['large list']
  const changed = Object.fromEntries(Object.keys(world.largeDeltas).map(name => [name, verifier([world.large])]))
  for (const one of Object.values(changed)) for (const token of world.tokens.slice(0, 100)) one.verify(token)
  const run = lookups(lookup)
  const contenders = { load: ({ empty }) => void empty.load(world.large), lookup: () => run(many) }
  for (const [name, one] of Object.entries(changed)) {
    contenders[name] = ({ lists }) => {
      for (const list of lists) one.load(list)
    }
  }
  return {
    ...size,
    contenders,
    input: round => round,
    own: (round, name) => ({
      empty: name === 'load' ? verifier([]) : undefined,
      lists: world.largeDeltas[name]?.slice(round * deltas, (round + 1) * deltas),
    }),
    operations: name => (name === 'load' ? 1 : name === 'lookup' ? many : deltas),
  }
}

/**
 * For each contender, the first verification of a process after its imports. The time includes compiling,
 * instantiating, reading the key and verifying.
 */
export const firsts = (world, { createVerifier, jose, fastJwt }) => ({
  doorlist: () => doorlistWith(createVerifier, world, [], { onMissing: 'allow' }).verify(world.tokens[0]),
  jose: async () => (await joseVerify(jose, world))(world.tokens[0]),
  ...(fastJwt && { 'fast-jwt': () => fastJwtVerify(fastJwt, world, false)(world.tokens[0]) }),
})

const mapped = (all, change) => Object.fromEntries(Object.entries(all).map(([name, one]) => [name, change(one)]))

const bytes = text => (globalThis.Buffer ? Buffer.from(text, 'latin1') : encoder.encode(text))

/** Returns a new flat string, like the strings that a header parser creates. */
const fresh = bytes => (bytes.latin1Slice ? bytes.latin1Slice(0, bytes.length) : decoder.decode(bytes))

/** Returns the signed bytes and the signature of a token. */
function taken(token) {
  const text = fresh(token)
  const dot = text.lastIndexOf('.')
  const binary = atob(
    text
      .slice(dot + 1)
      .replaceAll('-', '+')
      .replaceAll('_', '/'),
  )
  return [bytes(text.slice(0, dot)), Uint8Array.from(binary, character => character.charCodeAt(0))]
}
