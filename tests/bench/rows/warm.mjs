// Verifies tokens that every contender has seen before. There are 20,000 live tokens in random order. Each token is
// passed as a new string, because a header parser also creates a new string.
import * as fastJwt from 'fast-jwt'
import { createVerifier } from '../lib/doorlist.mjs'
import { interleaved } from '../lib/measure.mjs'
import { warm as contest } from '../runtimes/contests.mjs'
import { theWorld } from '../runtimes/world.mjs'

export const warm = async () => interleaved(contest(await theWorld(), { createVerifier, fastJwt }))
