//! `/logout`, `/sessions`: the sessions of the caller's own subject.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use doorlist_verifier::{Handle, UnixSeconds};
use serde::Serialize;

use super::ApiError;
use super::answer::{Position, ended, no_store, revoked, without_cookie};
use super::auth::SignedIn;
use super::extract::SidPath;
use super::same_site::Cookie;
use super::tokens::end_cookie;
use crate::app::App;
use crate::desk::EndSession;
use crate::domain::Session;

/// The data of a session that its owner and operators are allowed to see.
#[derive(Serialize)]
pub(super) struct SessionView {
    sid: Handle,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    created_at: UnixSeconds,
    last_seen_at: UnixSeconds,
    /// The time at which the session ends even if it is in use.
    ends_at: UnixSeconds,
    /// Whether this is the session of the access token in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<bool>,
}

impl From<Session> for SessionView {
    fn from(session: Session) -> Self {
        Self {
            sid: session.sid,
            client_id: session.client_id,
            scope: session.scope,
            device: session.device,
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            ends_at: session.ends_at,
            current: None,
        }
    }
}

#[derive(Serialize)]
struct Sessions {
    sub: String,
    sessions: Vec<SessionView>,
}

/// `GET /sessions`: lists the sessions of the subject, oldest first. For a user, each session is a device.
pub(super) async fn list(SignedIn { claims, subject }: SignedIn) -> Response {
    let view = |session: Session| {
        let current = Some(session.sid == claims.sid);
        SessionView { current, ..session.into() }
    };
    no_store(Json(Sessions {
        sub: subject.sub.to_string(),
        sessions: subject.sessions.into_iter().map(view).collect(),
    }))
}

/// `DELETE /sessions/{sid}`: ends this session of the subject.
pub(super) async fn end(
    State(app): State<Arc<App>>,
    SidPath(sid): SidPath,
    signed_in: SignedIn,
) -> Result<Position, ApiError> {
    ended(app.desk.end_session(&signed_in.subject.sub, sid).await?)
}

/// `POST /logout`: ends the session of the cookie. If the request has no cookie, or if the cookie's session is already
/// over, ends the session of the access token instead. If the cookie's session is over and the request has no valid
/// access token, the answer is `{}`.
pub(super) async fn logout(
    State(app): State<Arc<App>>,
    cookie: Cookie,
    mut parts: Parts,
) -> Result<Response, ApiError> {
    let Cookie::Token(token) = cookie else {
        let SignedIn { claims, subject } = SignedIn::from_request_parts(&mut parts, &app).await?;
        return Ok(ended(app.desk.end_session(&subject.sub, claims.sid).await?)?.into_response());
    };
    let mut outcome = end_cookie(&app, &token, None).await?;
    if outcome == EndSession::NoSuchSession {
        match SignedIn::from_request_parts(&mut parts, &app).await {
            Ok(SignedIn { claims, subject }) => {
                outcome = app.desk.end_session(&subject.sub, claims.sid).await?;
            }
            Err(error) if error.is_unauthorized() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(without_cookie(&app, revoked(outcome)))
}
