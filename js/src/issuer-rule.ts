import { parsedUrl, rule, type Rule } from './rules.js'

/** What connects to an issuer refuses the spellings that no issuer has, and names the one that it has. */
export const issuerUrl: Rule = /* @__PURE__ */ rule(
  'an http(s) URL in its one spelling, without query, fragment, user or password: the `iss` of its tokens',
  value => spelling(value) === value,
  spelling,
)

/**
 * The one spelling of an issuer's URL, which is compared as text: that of the URL standard, without empty segments or a slash at the end.
 * The rule is `IssuerUrl` in issuer/src/config/values.rs. `undefined` for what is no http(s) URL.
 */
export function spelling(value: unknown): string | undefined {
  const url = parsedUrl(value)
  return url && /^https?:/.test(url.href) ? url.origin + url.pathname.replace(/\/+(?=\/|$)/g, '') : undefined
}
