//! Refuses requests of HTTP/1.1 that a proxy may have understood in another way, although `hyper` accepts them. `hyper`
//! itself refuses all other ambiguous requests. After a request with both a length and chunks, it closes the connection.

use axum::http::{HeaderMap, Uri, Version, header};

use crate::http::ApiError;

/// Checks a request of HTTP/1.1. If it is refused, the connection must close, because it is not sure where the request
/// ends.
///
/// # Errors
///
/// 400 if the header `Host` is missing (RFC 9112 §3.2), or if the body is encoded in another way than chunked once
/// (RFC 9112 §6.1).
pub(super) fn check(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    if version != Version::HTTP_11 {
        return Ok(());
    }
    if uri.host().is_none() && !headers.contains_key(header::HOST) {
        return Err(ApiError::invalid_request("the header host is missing: HTTP/1.1 requires it"));
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).into_iter();
    let is_plain = match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    };
    if is_plain {
        Ok(())
    } else {
        Err(ApiError::invalid_request("the only transfer encoding of a request is chunked, applied once"))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn is_accepted(version: Version, uri: &'static str, headers: &[(HeaderName, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_static(value));
        }
        check(version, &Uri::from_static(uri), &map).is_ok()
    }

    #[test]
    fn only_a_request_of_http_1_1_needs_a_host() {
        assert!(!is_accepted(Version::HTTP_11, "/x", &[]));
        assert!(is_accepted(Version::HTTP_11, "/x", &[(header::HOST, "issuer")]));
        assert!(is_accepted(Version::HTTP_11, "http://issuer/x", &[]));
        assert!(is_accepted(Version::HTTP_10, "/x", &[]));
        assert!(is_accepted(Version::HTTP_2, "/x", &[]));
    }

    #[test]
    fn a_body_is_chunked_once_or_not_at_all() {
        let with = |codings: &[&'static str]| {
            let headers = codings.iter().map(|coding| (header::TRANSFER_ENCODING, *coding));
            let headers: Vec<_> = [(header::HOST, "issuer")].into_iter().chain(headers).collect();
            is_accepted(Version::HTTP_11, "/x", &headers)
        };
        assert!(with(&[]) && with(&["chunked"]) && with(&["Chunked"]));
        for codings in [&["gzip, chunked"][..], &["chunked, chunked"], &["chunked", "chunked"], &["identity"]]
        {
            assert!(!with(codings), "{codings:?}");
        }
    }
}
