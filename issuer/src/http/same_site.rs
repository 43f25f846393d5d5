//! Checks from which page a request comes (Fetch Metadata §2, RFC 6454 §7).
//!
//! A browser sends the cookie with every request to the issuer, even if a page of another site makes the request. So
//! the issuer uses the cookie only if the request comes from an allowed page. A form on any other page cannot refresh a
//! session, end a session, or replace a session with the attacker's own session (trace 18). `SameSite=Strict` protects
//! only in part: it prevents a refresh and a logout by other sites, but not by a sibling domain.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::ApiError;
use super::strict::only;
use crate::app::App;
use crate::config::Origin;
use crate::secret::SecretText;

/// The header in which a browser says from which site a request comes. Scripts cannot set this header.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The refresh-token cookie of a request.
pub enum Cookie {
    /// The request has a refresh token in the cookie, and comes from a page that is allowed to use the cookie.
    Token(SecretText),
    /// The request has no cookie, but comes from a page that is allowed to use the cookie.
    Missing,
    /// The request has no cookie, and comes from a page that is not allowed to use the cookie.
    Unused,
}

impl FromRequestParts<Arc<App>> for Cookie {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let found = app.find_cookie(&parts.headers);
        let token = found.map_err(|repeated| ApiError::invalid_request(repeated.to_string()))?;
        match (token, require_own_page(&parts.headers, &app.allowed_origins)) {
            (Some(token), Ok(())) => Ok(Self::Token(token)),
            (Some(_), Err(refused)) => Err(refused),
            (None, Ok(())) => Ok(Self::Missing),
            (None, Err(_)) => Ok(Self::Unused),
        }
    }
}

/// Accepts a request from a page of the issuer's own origin. Also accepts a request from a page of a listed origin,
/// unless the browser reports that the page and the issuer are on different sites.
///
/// # Errors
///
/// 403 `cross_site_request`.
pub fn require_own_page(headers: &HeaderMap, listed: &[Origin]) -> Result<(), ApiError> {
    let site = only(headers, SEC_FETCH_SITE).map(HeaderValue::as_bytes);
    let is_listed = only(headers, header::ORIGIN)
        .is_some_and(|origin| listed.iter().any(|listed| listed.header() == origin));
    match site {
        Some(b"same-origin") => Ok(()),
        // Browsers neither store nor send the issuer's cookie for a page on a different site. The page could never
        // refresh the session, so refuse the request now.
        Some(b"cross-site") if is_listed => Err(ApiError::cross_site(
            "this page and the issuer are on different sites, so the browser does not keep the cookie: use one site, or take the token in the body",
        )),
        Some(b"cross-site") => Err(foreign()),
        _ if is_listed => Ok(()),
        _ => Err(foreign()),
    }
}

fn foreign() -> ApiError {
    ApiError::cross_site(
        "only a page of the issuer's origin or of an allowed origin (DOORLIST_ALLOWED_ORIGINS) may use the cookie, over https or on localhost",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(headers: &[(HeaderName, &'static str)]) -> bool {
        let listed = ["https://app.example".parse().expect("an origin")];
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        require_own_page(&headers.collect(), &listed).is_ok()
    }

    #[test]
    fn trace_18_only_own_pages_use_the_cookie() {
        let (site, origin) = (|site| (SEC_FETCH_SITE, site), |origin| (header::ORIGIN, origin));
        let (listed, stranger) = (origin("https://app.example"), origin("https://evil.example"));
        assert!(may(&[site("same-origin")]));
        assert!(may(&[site("same-origin"), origin("https://id.example")]));
        assert!(may(&[site("same-site"), listed.clone()]));
        assert!(may(std::slice::from_ref(&listed)), "a browser without Fetch Metadata");

        assert!(!may(&[]), "neither says where it comes from");
        for word in ["cross-site", "same-site", "none", "", "Same-Origin", "same-origin, same-origin"] {
            assert!(!may(&[site(word)]), "{word}");
            assert!(!may(&[site(word), stranger.clone()]), "{word}");
        }
        assert!(!may(&[site("cross-site"), listed.clone()]), "this page cannot have the cookie");
        for other in
            ["null", "https://app.example.evil.example", "http://app.example", "https://app.example/"]
        {
            assert!(!may(&[origin(other)]), "{other}");
        }
        assert!(
            !may(&[listed.clone(), stranger.clone()]) && !may(&[stranger, listed]),
            "two headers count as none"
        );
        assert!(!may(&[site("same-origin"), site("cross-site")]));
    }
}
