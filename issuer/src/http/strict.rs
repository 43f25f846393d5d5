//! Refuses ambiguous requests before a handler gets them. A request is ambiguous if two programs can read different
//! values from it.
//!
//! If a header appears twice, a proxy, a cache or an inspector in front of the issuer may use the first value, while
//! the issuer uses the second value. If unknown query parameters were accepted, a client could invent a new URL for the
//! same answer. No cache would have an answer for the new URL.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::ApiError;

/// The headers that the issuer reads and that must not appear more than once. `X-Request-Id` is missing here, because
/// the issuer only copies it to the log output. If a request has two `X-Request-Id` headers, the issuer ignores both.
const SINGLE_HEADERS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::HOST,
    header::ORIGIN,
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("sec-fetch-site"),
];

/// The routes that accept query parameters, with the names of the parameters.
const PARAMETERS: [(Method, &str, &[&str]); 4] = [
    (Method::GET, "/revocations", &["since", "fresh"]),
    (Method::GET, "/revocations/stream", &["since"]),
    (Method::GET, "/admin/subjects", &["after", "limit"]),
    (Method::POST, "/admin/subjects/{sub}/revoke", &["gid"]),
];

/// Answers 400 if a header of [`SINGLE_HEADERS`] appears twice. Answers 400 if a query parameter is repeated, or if the
/// route does not know the parameter.
pub async fn check(request: Request, next: Next) -> Result<Response, ApiError> {
    for name in SINGLE_HEADERS {
        if request.headers().get_all(&name).iter().nth(1).is_some() {
            return Err(ApiError::invalid_request(format!("the header {name} appears twice: send it once")));
        }
    }
    if let Some(query) = request.uri().query() {
        let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
        check_query(query, parameters(request.method(), route))?;
    }
    Ok(next.run(request).await)
}

/// Returns the value of a header. Returns `None` if the header is missing or appears twice. If a header appears twice,
/// the issuer chooses neither value, because another program (for example a proxy) may choose the other value.
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
            return Err(ApiError::invalid_request(format!(
                "the query parameter {name} appears twice: send it once"
            )));
        }
        seen.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_with_an_unknown_or_repeated_name_is_refused() {
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
