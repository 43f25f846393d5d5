//! `/login`, `/token`, `/revoke`: how clients come by tokens and get rid of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use doorlist_verifier::Error;
use serde::Deserialize;

use super::ApiError;
use super::answer::{TokenAnswer, logged_in, no_store};
use super::extract::{FormBody, JsonBody, subject};
use super::open_session::open_session;
use crate::app::App;
use crate::desk::{EndSession, Proof, Refresh, RefreshRefusal};
use crate::domain::CustomClaims;
use crate::password::{Offer, Password};
use crate::secret::SecretText;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginRequest {
    username: String,
    password: String,
    client_id: Option<String>,
    device: Option<String>,
}

/// `POST /login`: accounts kept here sign in with their `sub` and password.
pub(super) async fn login(
    State(app): State<Arc<App>>,
    JsonBody(request): JsonBody<LoginRequest>,
) -> Result<TokenAnswer, ApiError> {
    app.desk.check_clock()?;
    let password = Password::offered(SecretText::from(request.password))
        .ok_or_else(|| ApiError::invalid_grant("no such account, or another password"))?;
    let sub = subject(request.username)?;
    let session = open_session(request.client_id, None, request.device, CustomClaims::new())?;
    let offer = Offer { passwords: &app.passwords, password };
    logged_in(&app, app.desk.open_session(&sub, session, Proof::Password(&offer)).await?)
}

#[derive(Deserialize)]
pub(super) struct TokenRequest {
    grant_type: Option<String>,
    refresh_token: Option<String>,
    client_id: Option<String>,
    scope: Option<String>,
}

/// `POST /token`: RFC 6749 §6.
pub(super) async fn token(
    State(app): State<Arc<App>>,
    FormBody(request): FormBody<TokenRequest>,
) -> Result<TokenAnswer, ApiError> {
    app.desk.check_clock()?;
    match request.grant_type.as_deref() {
        Some("refresh_token") => {}
        None | Some("") => return Err(ApiError::invalid_request("grant_type is missing")),
        Some(_) => {
            let description = "grant_type is refresh_token";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", description));
        }
    }
    let text =
        given(request.refresh_token).ok_or_else(|| ApiError::invalid_request("refresh_token is missing"))?;
    let token =
        app.refresh_tokens.decode(&text).map_err(|error| ApiError::invalid_grant(error.to_string()))?;
    let client_id = given(request.client_id);
    match app.desk.refresh(&token, client_id.as_deref()).await? {
        Refresh::Granted(mut grant) => {
            if let Some(scope) = given(request.scope) {
                grant.scope = Some(narrowed(grant.scope.as_deref(), scope)?);
            }
            Ok(TokenAnswer::new(&app, &grant))
        }
        Refresh::Refused(refusal) => Err(refused(refusal)),
        Refresh::Reused(_) => {
            tracing::warn!(sub = %token.sub, sid = %token.sid, "a refresh token came back: its session is revoked");
            Err(ApiError::invalid_grant("the token was used before: its session is revoked"))
        }
    }
}

#[derive(Deserialize)]
pub(super) struct RevokeRequest {
    token: Option<String>,
    client_id: Option<String>,
}

/// `POST /revoke`: RFC 7009. Ends the session of a refresh or access token; 200 for whatever is none.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    FormBody(request): FormBody<RevokeRequest>,
) -> Result<Response, ApiError> {
    let text = given(request.token).ok_or_else(|| ApiError::invalid_request("token is missing"))?;
    let client_id = given(request.client_id);
    let outcome = match app.refresh_tokens.decode(&text) {
        Ok(token) => app.desk.end_by_refresh_token(&token, client_id.as_deref()).await?,
        Err(_) => match app.revocations.verify(&text) {
            Ok(verified) if client_id.is_none_or(|client_id| client_id == verified.claims.client_id) => {
                let sub = subject(verified.claims.subject)?;
                app.desk.end_session(&sub, verified.claims.sid).await?
            }
            // Nothing is known yet of what would be revoked: not the time to say that it is.
            Err(Error::ListMissing) => return Err(ApiError::unavailable("the issuer is starting")),
            Ok(_) | Err(_) => EndSession::NoSuchSession,
        },
    };
    Ok(match outcome {
        EndSession::Ended(position) => super::answer::Position::from(position).into_response(),
        EndSession::NoSuchSession => no_store(Json(serde_json::json!({}))),
    })
}

/// RFC 6749 §3.2: a parameter without a value is as good as omitted.
fn given(parameter: Option<String>) -> Option<String> {
    parameter.filter(|value| !value.is_empty())
}

/// RFC 6749 §6: a refresh may ask for less than was granted, and gets it for this access token.
fn narrowed(granted: Option<&str>, asked: String) -> Result<String, ApiError> {
    let granted: Vec<_> = granted.unwrap_or_default().split(' ').collect();
    let words: Vec<_> = asked.split(' ').collect();
    // No more words than were granted: one repeated a thousand times makes a token that no verifier reads.
    if words.len() <= granted.len() && words.iter().all(|word| !word.is_empty() && granted.contains(word)) {
        return Ok(asked);
    }
    Err(ApiError::new(StatusCode::BAD_REQUEST, "invalid_scope", "the session was granted another scope"))
}

fn refused(refusal: RefreshRefusal) -> ApiError {
    ApiError::invalid_grant(match refusal {
        RefreshRefusal::NoSuchSession => "there is no such session any more",
        RefreshRefusal::Ended => "the session has reached its end",
        RefreshRefusal::Disabled => "the subject is disabled",
        RefreshRefusal::WrongClient => "the token belongs to another client",
    })
}
