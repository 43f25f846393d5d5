import { expect, test } from 'vitest'
import { follow } from './following.mjs'

test('follows an issuer, and refuses a kicked user', async () => {
  const issuer = process.env.ISSUER
  expect(await follow(issuer)).toEqual({ before: 'not_revoked', after: 'ERR_JWT_REVOKED', mode: 'stream' })
})
