//! Answers that several endpoints give.

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use doorlist_verifier::{Cursor, Epoch, Seq};
use serde::Serialize;

use super::ApiError;
use crate::access_token;
use crate::app::App;
use crate::desk::{Change, EndSession, Grant, Login, LoginRefusal, RefreshClaims};

/// The log position to wait for: whoever holds a list up to it knows of what was done.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Position {
    /// The log's lineage.
    pub epoch: Epoch,
    /// The last entry.
    pub seq: Seq,
}

impl From<Cursor> for Position {
    fn from(cursor: Cursor) -> Self {
        Self { epoch: cursor.epoch, seq: cursor.seq }
    }
}

impl IntoResponse for Position {
    fn into_response(self) -> Response {
        no_store(Json(self))
    }
}

/// RFC 6749 §5.1. Without `Debug`: it would show the tokens.
#[derive(Serialize)]
pub struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

impl TokenAnswer {
    /// The tokens of a grant.
    pub fn new(app: &App, grant: &Grant) -> Self {
        let ring = app.keys.ring();
        let claims = RefreshClaims { sub: grant.sub.clone(), sid: grant.sid, generation: grant.generation };
        Self {
            access_token: access_token::sign(grant, app.issuer.as_str(), &app.audience, ring.active()),
            token_type: "Bearer",
            expires_in: grant.expires_at.secs_since(grant.issued_at),
            refresh_token: app.refresh_tokens.encode(&claims),
            scope: grant.scope.clone(),
        }
    }
}

impl IntoResponse for TokenAnswer {
    fn into_response(self) -> Response {
        no_store(Json(self))
    }
}

/// A body that nobody keeps.
pub fn no_store(body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The tokens of a login, or why there are none.
pub fn logged_in(app: &App, login: Login) -> Result<TokenAnswer, ApiError> {
    match login {
        Login::Opened(grant) => Ok(TokenAnswer::new(app, &grant)),
        Login::Refused(LoginRefusal::WrongPassword) => {
            Err(ApiError::invalid_grant("no such account, or another password"))
        }
        Login::Refused(LoginRefusal::Disabled) => Err(ApiError::invalid_grant("the subject is disabled")),
        Login::Refused(LoginRefusal::CheckerBusy) => {
            Err(ApiError::unavailable("too many passwords are being checked"))
        }
        Login::Refused(LoginRefusal::ListFull { retry_after_secs }) => Err(ApiError::new(
            axum::http::StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            "too many sessions of this subject ended lately",
        )
        .retry_after(retry_after_secs)),
    }
}

/// Where the log says that a subject was changed.
pub fn changed(change: Change) -> Result<Position, ApiError> {
    match change {
        Change::Done(position) => Ok(position.into()),
        Change::UnknownSubject => Err(unknown_subject()),
    }
}

/// Where the log says that a session ended.
pub fn ended(outcome: EndSession) -> Result<Position, ApiError> {
    match outcome {
        EndSession::Ended(position) => Ok(position.into()),
        EndSession::NoSuchSession => Err(ApiError::not_found("the subject has no such session")),
    }
}

/// 404
pub fn unknown_subject() -> ApiError {
    ApiError::not_found("there is no such subject")
}
