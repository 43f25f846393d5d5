//! `/token`, `/revoke`: refresh and revoke tokens.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use doorlist_verifier::Error;
use serde::Deserialize;

use super::ApiError;
use super::answer::{Delivery, granted, revoked, without_cookie};
use super::extract::{FormBody, subject};
use super::same_site::Cookie;
use crate::app::App;
use crate::desk::{EndSession, Grant, Refresh, RefreshRefusal};
use crate::secret::SecretText;

#[derive(Deserialize)]
pub(super) struct TokenRequest {
    grant_type: Option<String>,
    refresh_token: Option<String>,
    client_id: Option<String>,
    scope: Option<String>,
}

/// `POST /token`: refreshes a session (RFC 6749 §6). If the refresh token comes in the cookie, the answer puts the new
/// refresh token into the cookie too. If the session of the cookie is over, the answer deletes the cookie.
pub(super) async fn token(
    State(app): State<Arc<App>>,
    cookie: Cookie,
    FormBody(request): FormBody<TokenRequest>,
) -> Result<Response, ApiError> {
    app.desk.check_clock()?;
    match request.grant_type.as_deref() {
        Some("refresh_token") => {}
        None | Some("") => return Err(ApiError::invalid_request("grant_type is missing")),
        Some(_) => {
            let description = "grant_type must be refresh_token";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", description));
        }
    }
    let (token, delivery) = match (cookie, given(request.refresh_token)) {
        (Cookie::Token(_), Some(_)) => return Err(two_tokens()),
        (Cookie::Token(token), None) => (token, Delivery::Cookie),
        (Cookie::Missing | Cookie::Unused, Some(token)) => (token.into(), Delivery::Body),
        (Cookie::Missing, None) => {
            return Err(ApiError::invalid_grant("no session cookie: sign in first"));
        }
        (Cookie::Unused, None) => return Err(ApiError::invalid_request("refresh_token is missing")),
    };
    let mut grant = match refreshed(&app, &token, given(request.client_id).as_deref()).await {
        Ok(grant) => grant,
        Err(NotGranted::Over(reason)) => {
            let over = ApiError::invalid_grant(reason);
            return match delivery {
                Delivery::Body => Err(over),
                Delivery::Cookie => Ok(without_cookie(&app, over)),
            };
        }
        Err(NotGranted::Now(error)) => return Err(error),
    };
    if let Some(scope) = given(request.scope) {
        grant.scope = Some(narrowed(grant.scope.as_deref(), scope)?);
    }
    Ok(granted(&app, &grant, delivery))
}

/// Why a refresh token was refused.
enum NotGranted {
    /// The issuer will never accept the refresh token again, so the client can delete it.
    Over(&'static str),
    /// It is possible that the issuer accepts the refresh token at another time, or from another client.
    Now(ApiError),
}

impl<E: Into<ApiError>> From<E> for NotGranted {
    fn from(error: E) -> Self {
        Self::Now(error.into())
    }
}

async fn refreshed(app: &App, token: &SecretText, client_id: Option<&str>) -> Result<Grant, NotGranted> {
    let token = app.read_refresh_token(token.expose()).await?;
    let token = token.ok_or(NotGranted::Over("not a refresh token of this issuer"))?;
    let over = |reason| Err(NotGranted::Over(reason));
    match app.desk.refresh(&token, client_id).await? {
        Refresh::Granted(grant) => Ok(grant),
        Refresh::Refused(RefreshRefusal::NoSuchSession) => over("the session has ended"),
        Refresh::Refused(RefreshRefusal::Ended) => over("the session has expired"),
        Refresh::Refused(RefreshRefusal::Disabled) => over("the subject is disabled"),
        Refresh::Refused(RefreshRefusal::WrongClient) => {
            Err(NotGranted::Now(ApiError::invalid_grant("the token belongs to another client")))
        }
        Refresh::Reused(_) => {
            tracing::warn!(sub = %token.sub, sid = %token.sid, "a refresh token was reused: its session is revoked");
            over("the token was used before: its session is revoked")
        }
    }
}

#[derive(Deserialize)]
pub(super) struct RevokeRequest {
    token: Option<String>,
    client_id: Option<String>,
}

/// `POST /revoke` (RFC 7009): ends the session of a refresh token, of an access token, or of the cookie. Answers 200
/// even if the token is not valid.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    cookie: Cookie,
    FormBody(request): FormBody<RevokeRequest>,
) -> Result<Response, ApiError> {
    let client_id = given(request.client_id);
    let client_id = client_id.as_deref();
    match (cookie, given(request.token)) {
        (Cookie::Token(_), Some(_)) => Err(two_tokens()),
        (Cookie::Token(token), None) => Ok(match end_cookie(&app, &token, client_id).await? {
            outcome @ EndSession::OtherClient => revoked(outcome),
            outcome => without_cookie(&app, revoked(outcome)),
        }),
        (Cookie::Missing | Cookie::Unused, Some(token)) => {
            Ok(revoked(revoke_token(&app, &token, client_id).await?))
        }
        (Cookie::Missing | Cookie::Unused, None) => Err(ApiError::invalid_request("token is missing")),
    }
}

/// Ends the session whose refresh token is in the cookie.
pub(super) async fn end_cookie(
    app: &App,
    token: &SecretText,
    client_id: Option<&str>,
) -> Result<EndSession, ApiError> {
    match app.read_refresh_token(token.expose()).await? {
        Some(token) => Ok(app.desk.end_by_refresh_token(&token, client_id).await?),
        None => Ok(EndSession::NoSuchSession),
    }
}

async fn revoke_token(app: &App, text: &str, client_id: Option<&str>) -> Result<EndSession, ApiError> {
    if let Some(token) = app.read_refresh_token(text).await? {
        return Ok(app.desk.end_by_refresh_token(&token, client_id).await?);
    }
    match app.verify(text) {
        Ok(verified) if client_id.is_none_or(|client_id| client_id == verified.claims.client_id) => {
            let sub = subject(verified.claims.subject)?;
            Ok(app.desk.end_session(&sub, verified.claims.sid).await?)
        }
        // Without a list, the issuer cannot check this token. So the issuer must not answer as if the token were
        // revoked.
        Err(Error::ListMissing) => Err(ApiError::unavailable("the issuer is starting")),
        Ok(_) | Err(_) => Ok(EndSession::NoSuchSession),
    }
}

fn two_tokens() -> ApiError {
    ApiError::invalid_request("the cookie and the form each have a token: send one of them")
}

/// RFC 6749 §3.2: a parameter without a value counts as omitted.
fn given(parameter: Option<String>) -> Option<String> {
    parameter.filter(|value| !value.is_empty())
}

/// RFC 6749 §6: a client may request a smaller scope for a refresh. This scope applies only to the access token in the
/// answer.
fn narrowed(granted: Option<&str>, asked: String) -> Result<String, ApiError> {
    let granted: Vec<_> = granted.unwrap_or_default().split(' ').collect();
    let words: Vec<_> = asked.split(' ').collect();
    // The request must not contain more words than the granted scope. Otherwise a client could repeat one word a
    // thousand times, and the token would be too long for verifiers.
    if words.len() <= granted.len() && words.iter().all(|word| !word.is_empty() && granted.contains(word)) {
        return Ok(asked);
    }
    Err(ApiError::new(StatusCode::BAD_REQUEST, "invalid_scope", "the session was granted another scope"))
}
