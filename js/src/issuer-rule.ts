import { parsedUrl, rule, type Rule } from './option-rules.js'

/** Refuses a URL that is not in the canonical spelling, and suggests the canonical spelling. */
export const issuerUrl: Rule = /* @__PURE__ */ rule(
  'an http(s) URL in its canonical spelling, without query, fragment, user or password: the `iss` of its tokens',
  value => spelling(value) === value,
  spelling,
)

/**
 * Returns the canonical spelling of an issuer's URL, or `undefined` if the value is not an http(s) URL. The canonical
 * spelling is the spelling of the URL standard, without empty segments and without a trailing slash. Other spellings
 * are not valid, because URLs of issuers are compared as text. `IssuerUrl` in issuer/src/config/values.rs has the same
 * rule.
 */
export function spelling(value: unknown): string | undefined {
  const url = parsedUrl(value)
  return url && /^https?:/.test(url.href) ? url.origin + url.pathname.replace(/\/+(?=\/|$)/g, '') : undefined
}
