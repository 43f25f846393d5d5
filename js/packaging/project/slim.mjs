import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bind, isTokenError } from 'doorlist/slim'
import { conformance } from './conformance.mjs'
import vectors from './vectors.mjs'

const bytes = readFileSync(fileURLToPath(import.meta.resolve('doorlist/verifier.wasm')))
console.log(JSON.stringify(conformance({ ...bind(bytes), isTokenError }, vectors)))
