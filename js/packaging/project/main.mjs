import * as doorlist from 'doorlist'
import { conformance } from './conformance.mjs'
import vectors from './vectors.mjs'

console.log(JSON.stringify(conformance(doorlist, vectors)))
