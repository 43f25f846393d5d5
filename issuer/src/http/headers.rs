//! Response headers that limit what browsers and caches do with an answer. Every answer has them, also errors,
//! preflight answers, and the answers while the issuer starts.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::config::IssuerUrl;

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const FORBIDDEN_CONTENT: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// One year. Subdomains are left out, because they may belong to other services.
const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Headers of every answer. A route cannot replace them.
const ALWAYS: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// Headers of every answer whose route does not set them. So a route that forgets `Cache-Control` is not cached, and an
/// answer that a browser shows as a page can load nothing.
const UNLESS_SET: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::CONTENT_SECURITY_POLICY, FORBIDDEN_CONTENT),
    (RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
];

/// Whether answers tell browsers to use only https for this host (RFC 6797).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StrictTransport(bool);

impl StrictTransport {
    /// `true` if the issuer's URL is https. A host on this machine is left out: browsers apply the header to every port
    /// of the host, so it would affect other servers of a developer.
    pub fn of(issuer: &IssuerUrl) -> Self {
        Self(issuer.is_encrypted() && !issuer.is_local())
    }
}

/// Adds the headers to an answer.
pub async fn complete(
    State(StrictTransport(is_strict)): State<StrictTransport>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    for (name, value) in UNLESS_SET {
        headers.entry(name).or_insert(value);
    }
    if is_strict {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT);
    }
    response
}

/// Allows pages of every origin to embed the answer. For lists, keys and metadata, which are public.
pub async fn embeddable(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    response
}
