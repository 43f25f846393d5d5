// The built package, as a user imports it.
import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { AUDIENCE, ISSUER, JWKS } from './world.mjs'

export const fromRoot = path => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** Folder of the built npm package. */
export const PACKAGE = fromRoot('js/dist')
if (!existsSync(PACKAGE)) throw new Error(`there is no ${PACKAGE}: run \`make bench\`, which builds it`)

export const { connectVerifier, createVerifier } = await import(pathToFileURL(`${PACKAGE}/index.js`))

/** A verifier that holds these lists. */
export function verifierWith(lists, options = {}) {
  const verifier = createVerifier({ issuer: ISSUER, audience: AUDIENCE, jwks: JWKS, ...options })
  for (const list of lists) verifier.load(list)
  return verifier
}
