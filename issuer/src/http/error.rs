//! Errors in the form of RFC 6749 §5.2 and RFC 6750 §3: JSON with `error` and `error_description`.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::desk::ClockOff;
use crate::keys::KeysError;
use crate::password::PasswordError;
use crate::secret::Scope;
use crate::store::StoreError;

/// An error for the client. It contains nothing secret.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    error: &'static str,
    description: Cow<'static, str>,
    retry_after_secs: Option<u64>,
    /// The `WWW-Authenticate` header (RFC 6750 §3).
    challenge: Option<&'static str>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    error_description: &'a str,
}

impl ApiError {
    /// Creates an error from its status, its code and a sentence for the client.
    pub fn new(status: StatusCode, error: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self { status, error, description: description.into(), retry_after_secs: None, challenge: None }
    }

    /// 400: the request is malformed.
    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// 400: the password or the refresh token is not valid.
    pub fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_grant", description)
    }

    /// 401: the request lacks the access token or the admin key that this route needs.
    pub fn credentials_missing(description: &'static str) -> Self {
        let mut error = Self::new(StatusCode::UNAUTHORIZED, "invalid_token", description);
        error.challenge = Some(r#"Bearer realm="doorlist""#);
        error
    }

    /// 401: the access token or the admin key is not valid.
    pub fn invalid_token(description: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::new(StatusCode::UNAUTHORIZED, "invalid_token", description);
        error.challenge = Some(r#"Bearer realm="doorlist", error="invalid_token""#);
        error
    }

    /// Whether the status is 401.
    pub fn is_unauthorized(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    /// 403: the page that sent the request is not allowed to use the cookie.
    pub fn cross_site(description: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "cross_site_request", description)
    }

    /// 403: the admin key is valid, but its scope does not open this route. The challenge names the scope that does.
    pub fn insufficient_scope(held: Scope, needed: Scope) -> Self {
        let description =
            format!("the scope of this key is {held}; this route needs a key with the scope {needed}");
        let mut error = Self::new(StatusCode::FORBIDDEN, "insufficient_scope", description);
        error.challenge = Some(match needed {
            Scope::Read => r#"Bearer realm="doorlist", error="insufficient_scope", scope="read""#,
            Scope::Kick => r#"Bearer realm="doorlist", error="insufficient_scope", scope="kick""#,
            Scope::All => r#"Bearer realm="doorlist", error="insufficient_scope", scope="all""#,
        });
        error
    }

    /// 404: the requested resource does not exist.
    pub fn not_found(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", description)
    }

    /// 409: the request conflicts with the current state.
    pub fn conflict(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", description)
    }

    /// 503: the issuer cannot answer now. The client can try again after one second.
    pub fn unavailable(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", description).retry_after(1)
    }

    /// Adds a `Retry-After` header.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_secs = Some(seconds);
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(Body { error: self.error, error_description: &self.description });
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_secs {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(challenge) = self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt { .. } => {
                tracing::error!(%error, "a request failed because of the store");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the stored data cannot be read")
            }
            StoreError::Unavailable(_) | StoreError::Away { .. } | StoreError::Misconfigured(_) => {
                tracing::warn!(%error, "a request failed because of the store");
                Self::unavailable("the store is unavailable")
            }
        }
    }
}

impl From<ClockOff> for ApiError {
    fn from(error: ClockOff) -> Self {
        tracing::error!(%error, "no token was signed");
        Self::unavailable("this node's clock is wrong, so it signs nothing")
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::unavailable("too many passwords are being checked: try again later"),
            PasswordError::Unusable(_) => {
                tracing::error!(%error, "a password could not be hashed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "server_error",
                    "the password could not be hashed",
                )
            }
        }
    }
}

impl From<KeysError> for ApiError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Store(error) => error.into(),
            KeysError::Unreadable(error) => {
                tracing::error!(%error, "a request failed because of the key ring");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the key ring cannot be read")
            }
            KeysError::TooEarly(error) => Self::conflict(error.to_string()).retry_after(error.wait_secs()),
            KeysError::UnknownKey(error) => Self::not_found(error.to_string()),
        }
    }
}
