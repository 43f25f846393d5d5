import { claimsOf } from '../../claims.js'

export const GET = request => Response.json({ sub: claimsOf(request).sub })
