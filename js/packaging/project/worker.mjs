import * as doorlist from 'doorlist'
import { conformance } from './conformance.mjs'
import vectors from './vectors.mjs'

export default {
  fetch: () => Response.json(conformance(doorlist, vectors)),
}
