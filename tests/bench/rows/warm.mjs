// Tokens that were all seen before: 20,000 live tokens in random order, each as a new string, as a header parser
// makes it.
import * as fastJwt from 'fast-jwt'
import { createVerifier } from '../lib/doorlist.mjs'
import { interleaved } from '../lib/measure.mjs'
import { warm as contest } from '../runtimes/contests.mjs'
import { theWorld } from '../runtimes/world.mjs'

export const warm = async () => interleaved(contest(await theWorld(), { createVerifier, fastJwt }))
