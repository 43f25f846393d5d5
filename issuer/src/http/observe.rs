//! A layer around every route. It gives each request an id, logs the answer and limits the time for the answer. It
//! answers even if the handler panics.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::ApiError;
use super::strict::only;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Time limit until the head of an answer is ready. The limit does not apply to the body, because a stream has no
/// time limit.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Gives the request an id, logs the answer, and answers 503 after the time limit. In a request with an admin key,
/// `key` in the log output is the name of this key.
///
/// The log output never contains bodies, headers, queries or full paths. (A path may contain a subject, and a subject
/// may be any text.)
pub async fn observe(request: Request, next: Next) -> Response {
    let id = request_id(only(request.headers(), REQUEST_ID));
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!(
        "request",
        id = id.to_str().unwrap_or_default(),
        %method,
        route,
        key = tracing::field::Empty
    );
    let began = Instant::now();

    let mut response = async {
        let answer = tokio::time::timeout(TIME_LIMIT, next.run(request)).await;
        let response =
            answer.unwrap_or_else(|_| ApiError::unavailable("the request took too long").into_response());
        let (status, millis) = (response.status().as_u16(), began.elapsed().as_millis() as u64);
        if response.status() == StatusCode::SERVICE_UNAVAILABLE
            && response.headers().contains_key(header::RETRY_AFTER)
        {
            // Log only a warning: the client will try again, and the code of this node is not the cause.
            tracing::warn!(status, millis, "answered");
        } else if response.status().is_server_error() {
            tracing::error!(status, millis, "answered");
        } else {
            tracing::debug!(status, millis, "answered");
        }
        response
    }
    .instrument(span)
    .await;

    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The answer if a request handler panicked.
pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request handler panicked");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "an error in the issuer").into_response()
}

/// Returns the caller's request id if its characters are safe in the log output. Otherwise returns a new id.
fn request_id(given: Option<&HeaderValue>) -> HeaderValue {
    let harmless = |id: &&HeaderValue| {
        let bytes = id.as_bytes();
        (1..=64).contains(&bytes.len())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    given.filter(harmless).cloned().unwrap_or_else(|| {
        HeaderValue::from_str(&format!("{:032x}", rand::random::<u128>())).expect("hex digits")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_request_id_of_harmless_characters_is_kept() {
        let kept = |id: &'static str| request_id(Some(&HeaderValue::from_static(id))) == id;
        assert!(kept("a-Z_0.9"));
        assert!(!kept("a b") && !kept("") && !kept("a\"b"));
        assert_eq!(request_id(None).len(), 32);
    }
}
