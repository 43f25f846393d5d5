//! Refuses requests that two readers could understand differently, before a handler sees them.
//!
//! A proxy, a cache or an inspector in front of the issuer may read the first of two headers where the issuer reads the
//! last. A query parameter that means nothing makes another address of the same answer, which no cache has.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::ApiError;

/// Headers that have one value, of those that the issuer reads. Not `X-Request-Id`, which only names log lines: of
/// two, neither is kept.
const SINGLE_HEADERS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::HOST,
    header::ORIGIN,
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("sec-fetch-site"),
];

/// The query parameters of each route that has any.
const PARAMETERS: [(Method, &str, &[&str]); 4] = [
    (Method::GET, "/revocations", &["since", "fresh"]),
    (Method::GET, "/revocations/stream", &["since"]),
    (Method::GET, "/admin/subjects", &["after", "limit"]),
    (Method::POST, "/admin/subjects/{sub}/revoke", &["gid"]),
];

/// Answers 400 to a request with two values of a header that has one, or with a query parameter that its route does
/// not have, or has twice.
pub async fn check(request: Request, next: Next) -> Result<Response, ApiError> {
    for name in SINGLE_HEADERS {
        if request.headers().get_all(&name).iter().nth(1).is_some() {
            return Err(ApiError::invalid_request(format!("the header {name} is there twice: send it once")));
        }
    }
    if let Some(query) = request.uri().query() {
        let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
        check_query(query, parameters(request.method(), route))?;
    }
    Ok(next.run(request).await)
}

/// A header's value. Of two, neither: another reader may have taken the other one.
pub fn only(headers: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

fn parameters(method: &Method, route: &str) -> &'static [&'static str] {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let mut routes = PARAMETERS.iter();
    routes.find(|(of, path, _)| of == method && *path == route).map_or(&[], |(_, _, names)| names)
}

fn check_query(query: &str, known: &[&str]) -> Result<(), ApiError> {
    let mut seen = Vec::new();
    for parameter in query.split('&') {
        let name = parameter.split('=').next().unwrap_or_default();
        if !known.contains(&name) {
            return Err(ApiError::invalid_request(match known {
                [] => "this path takes no query: leave it out, with its question mark".to_owned(),
                known => format!("unknown query parameter: this path takes {}", known.join(" and ")),
            }));
        }
        if seen.contains(&name) {
            return Err(ApiError::invalid_request(format!("the query parameter {name} is there twice")));
        }
        seen.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_known_names_once_each() {
        for fit in ["since=1", "fresh=1&since=2", "since", "since=%41=&fresh="] {
            assert!(check_query(fit, &["since", "fresh"]).is_ok(), "{fit}");
        }
        for unfit in
            ["", "&", "since=1&", "&since=1", "x", "since=1&x=2", "%73ince=1", "Since=1", "since=1&since=1"]
        {
            assert!(check_query(unfit, &["since", "fresh"]).is_err(), "{unfit}");
        }
        assert!(check_query("", &[]).is_err() && check_query("x", &[]).is_err());
    }
}
