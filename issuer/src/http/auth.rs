//! Who is asking: an operator with the admin key, or a user with an access token.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use doorlist_verifier::{AccessTokenClaims, Error};

use super::ApiError;
use super::extract::{bearer, subject};
use crate::app::App;
use crate::desk::SubjectDetails;

/// Lets requests through that carry an admin key.
pub async fn require_admin_key(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    match bearer(request.headers()) {
        Some(offered) if app.admin_keys.matches(offered) => Ok(next.run(request).await),
        Some(_) => Err(ApiError::invalid_token("not the admin key")),
        None => Err(ApiError::credentials_missing("send the admin key as Authorization: Bearer")),
    }
}

/// Lets requests through while this node is called as the installation is. After another node has renamed it, tokens of
/// this one would be worthless there, and it would take theirs for forgeries, which clients take for the session's end.
pub async fn require_current_name(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if app.installation.is_renamed() {
        return Err(ApiError::unavailable("the issuer was renamed; this node has not been restarted yet"));
    }
    Ok(next.run(request).await)
}

/// A user with an access token whose session is alive in the store, whatever the list on this node says yet.
pub struct SignedIn {
    /// What the token says.
    pub claims: AccessTokenClaims,
    /// What the store says.
    pub subject: SubjectDetails,
}

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers)
            .ok_or_else(|| ApiError::credentials_missing("send an access token as Authorization: Bearer"))?;
        let claims = match app.verify(token) {
            Ok(verified) => verified.claims,
            Err(Error::ListMissing) => return Err(ApiError::unavailable("the issuer is starting")),
            Err(error) => return Err(ApiError::invalid_token(error.to_string())),
        };
        let sub = subject(claims.subject.clone())?;
        let subject = app.desk.subject(&sub).await?.filter(|subject| {
            subject.gid == claims.gid && subject.sessions.iter().any(|session| session.sid == claims.sid)
        });
        let subject = subject.ok_or_else(|| ApiError::invalid_token("the session has ended"))?;
        Ok(Self { claims, subject })
    }
}
