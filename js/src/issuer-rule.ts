import { parsedUrl, rule, type Rule } from './rules.js'

/** Refuses URLs that differ from the issuer's own spelling, and suggests the right spelling. */
export const issuerUrl: Rule = /* @__PURE__ */ rule(
  'an http(s) URL in its canonical spelling, without query, fragment, user or password: the `iss` of its tokens',
  value => spelling(value) === value,
  spelling,
)

/**
 * Returns the one valid spelling of an issuer's URL: that of the URL standard, without empty segments and without a
 * trailing slash. Only one spelling is valid, because URLs of issuers are compared as text. `IssuerUrl` in
 * issuer/src/config/values.rs has the same rule. Returns `undefined` if the value is not an http(s) URL.
 */
export function spelling(value: unknown): string | undefined {
  const url = parsedUrl(value)
  return url && /^https?:/.test(url.href) ? url.origin + url.pathname.replace(/\/+(?=\/|$)/g, '') : undefined
}
