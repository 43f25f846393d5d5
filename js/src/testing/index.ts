import type * as Types from '../../types/testing.js'
import { issuerUrl } from '../issuer-rule.js'
import { check, isText, rule } from '../option-rules.js'
import { MemoryIssuer } from './issuer.js'
import { createKey } from './key.js'

const rules = {
  issuer: issuerUrl,
  audience: rule('the `aud` of tokens', isText),
}

export const createTestIssuer: typeof Types.createTestIssuer = async (options = {}) => {
  const given = check<Types.TestIssuerOptions>(options, rules)
  const { issuer = 'https://issuer.test', audience = 'api' } = given
  return new MemoryIssuer(issuer, audience, await createKey(), await createKey())
}
