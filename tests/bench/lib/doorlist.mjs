// The built package. The measurements use the package in the same way as an application does.
import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { doorlistWith } from './verifiers.mjs'
import { WORLD } from './world.mjs'

export const fromRoot = path => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** The folder of the built npm package. */
export const PACKAGE = fromRoot('js/dist')
if (!existsSync(PACKAGE)) throw new Error(`there is no ${PACKAGE}: run \`make bench\`, which builds it`)

/** The wasm module that is built from `lookup/`. */
export const LOOKUP =
  process.env.DOORLIST_LOOKUP ??
  fromRoot('tests/bench/lookup/target/wasm32-unknown-unknown/release/doorlist_lookup.wasm')

export const { connectVerifier, createVerifier } = await import(pathToFileURL(`${PACKAGE}/index.js`))

/** Returns a verifier that holds these lists. */
export const verifierWith = (lists, options) => doorlistWith(createVerifier, WORLD, lists, options)
