//! The CORS rules (Fetch standard §3.2): they decide which routes a page of another origin is allowed to call.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowCredentials, AllowOrigin, Any, CorsLayer};

use crate::config::Origin;

/// Browsers may store the answer to a preflight request for this time: one day. Some browsers store it for two hours at
/// most.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(86_400);

/// The CORS rules for lists, keys and metadata, which every origin is allowed to read.
pub fn open() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET])
        .allow_headers([
            header::ACCEPT,
            header::CACHE_CONTROL,
            header::IF_NONE_MATCH,
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([header::ETAG, header::RETRY_AFTER])
        .max_age(PREFLIGHT_MAX_AGE)
}

/// The CORS rules for login, token and session routes. Pages of the listed origins are allowed to call these routes and
/// send the cookie. Pages of the issuer's own origin need no CORS permission.
pub fn listed(origins: &[Origin]) -> CorsLayer {
    let listed: Vec<HeaderValue> = origins.iter().map(|origin| origin.header().clone()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(listed.clone()))
        .allow_credentials(AllowCredentials::predicate(move |origin, _| listed.contains(origin)))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER, header::WWW_AUTHENTICATE])
        .max_age(PREFLIGHT_MAX_AGE)
}
