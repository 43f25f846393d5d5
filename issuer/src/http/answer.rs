//! Answers that several endpoints share.

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use doorlist_verifier::{Cursor, Epoch, Seq};
use serde::{Deserialize, Serialize};

use super::ApiError;
use crate::access_token;
use crate::app::App;
use crate::desk::{Acknowledged, EndSession, Grant, Login, LoginRefusal, RefreshClaims};
use crate::device::{Device, KNOWN_SECS};
use crate::domain::UnfitClaims;

/// The position of a change in the revocation log. A verifier whose list has reached this position knows the change.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Position {
    /// The epoch of the revocation log.
    pub epoch: Epoch,
    /// The sequence number of the change's last entry.
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

/// How a client receives its refresh token and sends it back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Delivery {
    /// The refresh token is in the body of the answer, and later in the body of the request.
    #[default]
    Body,
    /// The refresh token is in a cookie that scripts cannot read.
    Cookie,
}

/// Parses the value from a JSON string. A derived `Deserialize` would also accept `{"cookie": null}`.
impl TryFrom<String> for Delivery {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "body" => Ok(Self::Body),
            "cookie" => Ok(Self::Cookie),
            _ => Err("token_delivery must be body or cookie"),
        }
    }
}

/// The body of an answer with tokens (RFC 6749 §5.1). The type does not implement `Debug`, so that no log output can
/// contain the tokens.
#[derive(Serialize)]
struct TokenAnswer<'a> {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_token: Option<&'a str>,
}

/// The answer with the tokens of a grant. The refresh token is either in the body or in the cookie, never in both.
pub fn granted(app: &App, grant: &Grant, delivery: Delivery) -> Response {
    granted_on(app, grant, delivery, None)
}

/// Like [`granted`], with the token of a device that the account knows from now on.
fn granted_on(app: &App, grant: &Grant, delivery: Delivery, device: Option<u64>) -> Response {
    let device_token =
        device.map(|id| app.devices.write(&grant.sub, Device { id, gid: grant.gid }, grant.issued_at));
    let ring = app.keys.ring();
    let claims = RefreshClaims { sub: grant.sub.clone(), sid: grant.sid, generation: grant.generation };
    let refresh_token = app.refresh_tokens.encode(&claims);
    let mut response = no_store(Json(TokenAnswer {
        access_token: access_token::sign(grant, app.issuer.as_str(), &app.audience, ring.active()),
        token_type: "Bearer",
        expires_in: grant.expires_at.secs_since(grant.issued_at),
        refresh_token: (delivery == Delivery::Body).then_some(&refresh_token),
        scope: grant.scope.as_deref(),
        device_token: device_token.as_deref().filter(|_| delivery == Delivery::Body),
    }));
    if delivery == Delivery::Cookie {
        let max_age_secs = grant.session_ends_at.secs_since(grant.issued_at);
        let cookie = app.refresh_cookie.holding(&refresh_token, max_age_secs);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        take_former_cookies(app, &mut response);
        if let Some(token) = &device_token {
            let cookie = app.devices.cookie.holding(token, KNOWN_SECS);
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// Adds a `Set-Cookie` header to this answer. The header deletes the refresh-token cookie.
pub fn without_cookie(app: &App, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().append(header::SET_COOKIE, app.refresh_cookie.gone());
    take_former_cookies(app, &mut response);
    response
}

fn take_former_cookies(app: &App, response: &mut Response) {
    for former in &app.former {
        response.headers_mut().append(header::SET_COOKIE, former.refresh_cookie.gone());
    }
}

/// Adds `Cache-Control: no-store`, so that no cache stores the answer.
pub fn no_store(body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Answers a login with the tokens, or with the reason why the login was refused. If `device` is given, the account knows
/// this device from now on.
pub fn logged_in(
    app: &App,
    login: Login,
    delivery: Delivery,
    device: Option<u64>,
) -> Result<Response, ApiError> {
    match login {
        Login::Opened(grant) => Ok(granted_on(app, &grant, delivery, device)),
        Login::Refused(LoginRefusal::WrongPassword) => {
            Err(ApiError::invalid_grant("unknown username or wrong password"))
        }
        Login::Refused(LoginRefusal::Disabled) => Err(ApiError::invalid_grant("the subject is disabled")),
        Login::Refused(LoginRefusal::Claims(unfit)) => Err(unfit_together(&unfit)),
        Login::Refused(LoginRefusal::CheckerBusy) => {
            Err(ApiError::unavailable("too many passwords are being checked: try again later"))
        }
        Login::Refused(LoginRefusal::ListFull { retry_after_secs }) => Err(ApiError::new(
            axum::http::StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            "too many sessions of this subject ended recently",
        )
        .retry_after(retry_after_secs)),
    }
}

/// Returns the position of a subject's change in the revocation log, or 404 if the subject does not exist.
pub fn changed(change: Acknowledged) -> Result<Position, ApiError> {
    match change {
        Acknowledged::Done(position) => Ok(position.into()),
        Acknowledged::UnknownSubject => Err(unknown_subject()),
    }
}

/// 409: the claims of the subject and the claims of its session are together too large for one token.
pub fn unfit_together(unfit: &UnfitClaims) -> ApiError {
    ApiError::conflict(format!("the claims of the subject and of the session do not fit together: {unfit}"))
}

/// Returns the position of a session's end in the revocation log, or 404 if the session does not exist.
pub fn ended(outcome: EndSession) -> Result<Position, ApiError> {
    match outcome {
        EndSession::Ended(position) => Ok(position.into()),
        EndSession::NoSuchSession | EndSession::OtherClient => {
            Err(ApiError::not_found("the subject has no such session"))
        }
    }
}

/// Answers with the position of a session's end in the revocation log. If the session does not exist, the answer is
/// `{}` and not an error (RFC 7009 §2.2).
pub fn revoked(outcome: EndSession) -> Response {
    match outcome {
        EndSession::Ended(position) => Position::from(position).into_response(),
        EndSession::NoSuchSession | EndSession::OtherClient => no_store(Json(serde_json::json!({}))),
    }
}

/// 404 for an unknown subject.
pub fn unknown_subject() -> ApiError {
    ApiError::not_found("there is no such subject")
}
