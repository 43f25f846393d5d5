//! Parses requests. A malformed request always gets an error with a code and never causes a panic.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use doorlist_verifier::Handle;
use serde::de::DeserializeOwned;

use super::strict::only;
use super::{ApiError, object};
use crate::domain::Subject;

/// Largest length of a body, in bytes. Claims, a device name and a token together are much shorter than this limit.
pub const MAX_BODY_LEN: usize = 16 * 1024;
/// The body must arrive within this time.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// A JSON body that is one object.
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        expect_type(request.headers(), "application/json")?;
        let bytes = body(request, state).await?;
        object::parse(&bytes).map(Self).map_err(ApiError::invalid_request)
    }
}

/// An `application/x-www-form-urlencoded` body (RFC 6749 appendix B).
pub struct FormBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for FormBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        expect_type(request.headers(), "application/x-www-form-urlencoded")?;
        let bytes = body(request, state).await?;
        serde_urlencoded::from_bytes(&bytes)
            .map(Self)
            .map_err(|_| ApiError::invalid_request("a form parameter is missing, repeated or malformed"))
    }
}

/// The query parameters. [`super::strict`] has already checked their names.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        serde_urlencoded::from_str(parts.uri.query().unwrap_or_default())
            .map(Self)
            .map_err(|_| ApiError::invalid_request("a query parameter is malformed"))
    }
}

/// The `{sub}` of a path.
pub struct SubjectPath(pub Subject);

impl<S: Send + Sync> FromRequestParts<S> for SubjectPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(sub) = path.map_err(|_| malformed_path())?;
        Ok(Self(subject(sub)?))
    }
}

/// The `{sid}` of a path.
pub struct SidPath(pub Handle);

impl<S: Send + Sync> FromRequestParts<S> for SidPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(sid) = path.map_err(|_| malformed_path())?;
        Ok(Self(handle(&sid)?))
    }
}

/// The `{sub}` and `{sid}` of a path.
pub struct SubjectSidPath(pub Subject, pub Handle);

impl<S: Send + Sync> FromRequestParts<S> for SubjectSidPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((sub, sid)) = path.map_err(|_| malformed_path())?;
        Ok(Self(subject(sub)?, handle(&sid)?))
    }
}

/// Parses a subject from a request.
///
/// # Errors
///
/// 400 if the subject is malformed.
pub fn subject(text: String) -> Result<Subject, ApiError> {
    text.try_into().map_err(|error: crate::domain::subject::MalformedSubject| {
        ApiError::invalid_request(error.to_string())
    })
}

/// Returns the credentials from the header `Authorization: Bearer <credentials>` (RFC 6750 §2.1). Returns `None` if the
/// header is missing or has another form.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, credentials) = only(headers, header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| credentials.trim())
}

fn handle(text: &str) -> Result<Handle, ApiError> {
    text.parse().map_err(|_| ApiError::invalid_request("a sid is 16 lower-case hex digits"))
}

fn malformed_path() -> ApiError {
    ApiError::invalid_request("the path is not percent-encoded UTF-8")
}

async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    match tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, state)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(refused)) if refused.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "invalid_request",
            format!("a body has at most {MAX_BODY_LEN} bytes"),
        )),
        Ok(Err(_)) => Err(ApiError::invalid_request("the body could not be read")),
        Err(_) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "invalid_request",
            "the body did not arrive in time",
        )),
    }
}

fn expect_type(headers: &HeaderMap, wanted: &'static str) -> Result<(), ApiError> {
    let given = only(headers, header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let description = format!("send the body as {wanted}");
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid_request", description))
}
