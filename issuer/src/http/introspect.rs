//! `/introspect` (RFC 7662): for services that do not verify tokens but ask the issuer about each token.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use doorlist_verifier::{Error, Handle, UnixSeconds, Verified};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::ApiError;
use super::answer::no_store;
use super::extract::{FormBody, subject};
use crate::app::App;
use crate::desk::Grant;
use crate::domain::introspect::AccessClaims;
use crate::revocations::PublishError;

/// The parameter `token_type_hint` is ignored, because the token itself shows its type.
#[derive(Deserialize)]
pub(super) struct IntrospectRequest {
    token: Option<String>,
}

/// The answer for a refresh token (RFC 7662 §2.2). Its `token_type` is not `Bearer`, because a refresh token is
/// accepted only at `/token`.
#[derive(Serialize)]
struct RefreshAnswer<'a> {
    active: bool,
    token_type: &'static str,
    iss: &'a str,
    sub: &'a str,
    client_id: &'a str,
    sid: Handle,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    exp: UnixSeconds,
}

/// `POST /introspect`. An access token is active if it can be verified, and if the subject's record still contains the
/// token's session and group. A refresh token is active if `/token` would accept it.
pub(super) async fn introspect(
    State(app): State<Arc<App>>,
    FormBody(request): FormBody<IntrospectRequest>,
) -> Result<Response, ApiError> {
    let token = request.token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| ApiError::invalid_request("token is missing"))?;
    if let Some(token) = app.read_refresh_token(&token).await? {
        let grant = app.desk.would_grant(&token).await?;
        return Ok(grant.map_or_else(inactive, |grant| active_refresh(&app, &grant)));
    }
    // If the clock of this node is wrong, valid tokens look expired or not valid yet. In this case, answer with an
    // error.
    app.desk.check_clock()?;
    let mut judged = app.verify(&token);
    if let Err(Error::UnknownKey { .. }) = judged {
        // The token's key may be so new that this node has not read it yet. So read the keys and verify again.
        app.desk.catch_up().await?;
        app.revocations.take_in_keys().await.map_err(unknown_keys)?;
        judged = app.verify(&token);
    }
    let Some(Verified { claims, payload_json, .. }) = verified(judged)? else { return Ok(inactive()) };
    let claimed = AccessClaims {
        gid: claims.gid,
        sid: claims.sid,
        issued_at: claims.issued_at,
        expires_at: claims.expires_at,
    };
    if !app.desk.is_active(&subject(claims.subject)?, claimed).await? {
        return Ok(inactive());
    }
    // Verify the token a second time. It is possible that the token's key was retired while the record was read, and
    // that the new list is already published.
    app.revocations.take_in_keys().await.map_err(unknown_keys)?;
    if verified(app.verify(&token))?.is_none() {
        return Ok(inactive());
    }
    let mut answer: Map<String, Value> =
        serde_json::from_str(&payload_json).expect("JSON that this issuer signed");
    // Insert `active` and `token_type` last, so that they replace claims of the token with the same names.
    answer.insert("active".to_owned(), Value::Bool(true));
    answer.insert("token_type".to_owned(), Value::from("Bearer"));
    Ok(no_store(Json(answer)))
}

fn verified(judged: Result<Verified, Error>) -> Result<Option<Verified>, ApiError> {
    match judged {
        // Without a list, the issuer cannot know whether the token is revoked.
        Err(Error::ListMissing) => Err(ApiError::unavailable("the issuer is starting")),
        judged => Ok(judged.ok()),
    }
}

fn unknown_keys(error: PublishError) -> ApiError {
    tracing::error!(%error, "a token could not be checked");
    ApiError::unavailable("the current signing keys could not be read")
}

fn active_refresh(app: &App, grant: &Grant) -> Response {
    no_store(Json(RefreshAnswer {
        active: true,
        token_type: "refresh_token",
        iss: app.issuer.as_str(),
        sub: grant.sub.as_str(),
        client_id: &grant.client_id,
        sid: grant.sid,
        scope: grant.scope.as_deref(),
        exp: grant.session_ends_at,
    }))
}

/// RFC 7662 §2.2: the answer does not say why a token is inactive.
fn inactive() -> Response {
    no_store(Json(json!({ "active": false })))
}
