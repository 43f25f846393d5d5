//! Authenticates the caller: an operator by the admin key, a user by an access token.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use doorlist_verifier::{AccessTokenClaims, Error};

use super::ApiError;
use super::extract::{bearer, subject};
use crate::app::App;
use crate::desk::{self, SubjectDetails};
use crate::secret::{Holder, Scope};

/// Accepts only requests with an admin key. Adds the key's holder to the request. Changes of records during the request
/// carry the holder's name in the audit, and lines of log output carry it as `key`.
pub async fn require_admin_key(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let Some(offered) = bearer(request.headers()) else {
        return Err(ApiError::credentials_missing("send the admin key as Authorization: Bearer"));
    };
    let Some(holder) = app.admin_keys.get().holder(offered).cloned() else {
        return Err(ApiError::invalid_token("this is not an admin key of this issuer"));
    };
    tracing::Span::current().record("key", &*holder.name);
    let name = Arc::clone(&holder.name);
    request.extensions_mut().insert(holder);
    Ok(desk::acting(name, next.run(request)).await)
}

/// Accepts only requests of holders with one of these scopes. Writes a line for each request that may change something.
pub async fn require_scope(
    State(scopes): State<&'static [Scope]>,
    Extension(holder): Extension<Holder>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if !holder.scope.is_one_of(scopes) {
        tracing::warn!(scope = %holder.scope, "a key was used for a route that its scope does not open");
        return Err(ApiError::insufficient_scope(
            holder.scope,
            scopes.first().copied().unwrap_or(Scope::All),
        ));
    }
    let response = next.run(request).await;
    if !scopes.contains(&Scope::Read) {
        tracing::info!(status = response.status().as_u16(), "an operator's request was answered");
    }
    Ok(response)
}

/// Answers 503 after another node has renamed the installation. The nodes with the new name do not accept tokens of
/// this node. This node would refuse tokens of those nodes as forged, and the clients would believe that their session
/// has ended.
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

/// A user with a valid access token and a session that has not ended. The session is read from the store, because the
/// end of the session can still be missing from this node's revocation list.
pub struct SignedIn {
    /// The claims of the token.
    pub claims: AccessTokenClaims,
    /// The subject, as read from the store.
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
