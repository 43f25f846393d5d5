//! `/admin/subjects`: subjects, and the operations on them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use doorlist_verifier::Handle;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::app::App;
use crate::desk::{Account, ClaimsChange, Creation, Kick, SubjectDetails};
use crate::domain::claims::check_custom_claims;
use crate::domain::{CustomClaims, PasswordHash, Subject, SubjectState};
use crate::http::ApiError;
use crate::http::answer::{Position, changed, ended, no_store, unfit_together, unknown_subject};
use crate::http::extract::{JsonBody, Query, SubjectPath, SubjectSidPath, subject};
use crate::http::sessions::SessionView;
use crate::password::Password;
use crate::secret::SecretText;

/// Largest number of subjects on a page.
const MAX_PAGE: usize = 200;
/// Number of subjects on a page if the request gives no limit.
const DEFAULT_PAGE: usize = 50;

#[derive(Serialize)]
struct SubjectView {
    sub: String,
    gid: Handle,
    state: SubjectState,
    /// Whether the subject has a password for `POST /login`.
    has_password: bool,
    #[serde(skip_serializing_if = "Map::is_empty")]
    claims: CustomClaims,
    sessions: Vec<SessionView>,
}

impl From<SubjectDetails> for SubjectView {
    fn from(details: SubjectDetails) -> Self {
        Self {
            sub: details.sub.into(),
            gid: details.gid,
            state: details.state,
            has_password: details.account == Account::Local,
            claims: details.claims,
            sessions: details.sessions.into_iter().map(SessionView::from).collect(),
        }
    }
}

/// A subject whose record cannot be read.
#[derive(Serialize)]
struct DamagedView {
    sub: String,
    damaged: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Row {
    Subject(SubjectView),
    Damaged(DamagedView),
}

#[derive(Serialize)]
struct Page {
    subjects: Vec<Row>,
    /// The value of `?after=` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct PageQuery {
    after: Option<String>,
    limit: Option<usize>,
}

/// `GET /admin/subjects?after=&limit=`
pub(in crate::http) async fn list(
    State(app): State<Arc<App>>,
    Query(query): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let after = query.after.map(subject).transpose()?;
    let limit = query.limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(ApiError::invalid_request(format!("limit must be 1 to {MAX_PAGE}")));
    }
    let page = app.desk.subjects(after.as_ref(), limit).await?;
    let rows = page.subjects.into_iter().map(|row| match row {
        Ok(details) => Row::Subject(details.into()),
        Err(damaged) => Row::Damaged(DamagedView { sub: damaged.sub.into(), damaged: damaged.reason }),
    });
    Ok(no_store(Json(Page { subjects: rows.collect(), next: page.next.map(String::from) })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CreateRequest {
    sub: String,
    password: Option<String>,
}

#[derive(Serialize)]
struct Created {
    sub: Subject,
    #[serde(flatten)]
    position: Position,
}

/// `POST /admin/subjects`
pub(in crate::http) async fn create(
    State(app): State<Arc<App>>,
    JsonBody(request): JsonBody<CreateRequest>,
) -> Result<Response, ApiError> {
    let sub = subject(request.sub)?;
    let password = match request.password {
        Some(password) => Some(hashed(&app, password).await?),
        None => None,
    };
    let has_password = password.is_some();
    match app.desk.create_subject(&sub, password).await? {
        Creation::Created(position) => {
            if has_password {
                clear_the_way(&app, &sub).await;
            }
            let created = Created { sub, position: position.into() };
            Ok((StatusCode::CREATED, no_store(Json(created))).into_response())
        }
        Creation::Exists => Err(ApiError::conflict("a subject with this name already exists")),
    }
}

/// `GET /admin/subjects/{sub}`
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    SubjectPath(sub): SubjectPath,
) -> Result<Response, ApiError> {
    let details = app.desk.subject(&sub).await?.ok_or_else(unknown_subject)?;
    Ok(no_store(Json(SubjectView::from(details))))
}

/// `DELETE /admin/subjects/{sub}`: kicks the subject and removes it.
pub(in crate::http) async fn delete(
    State(app): State<Arc<App>>,
    SubjectPath(sub): SubjectPath,
) -> Result<Position, ApiError> {
    changed(app.desk.delete_subject(&sub).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct PasswordRequest {
    password: String,
}

/// `PUT /admin/subjects/{sub}/password`: sets the subject's password and kicks the subject.
pub(in crate::http) async fn set_password(
    State(app): State<Arc<App>>,
    SubjectPath(sub): SubjectPath,
    JsonBody(request): JsonBody<PasswordRequest>,
) -> Result<Position, ApiError> {
    let password = hashed(&app, request.password).await?;
    let position = changed(app.desk.set_password(&sub, password).await?)?;
    clear_the_way(&app, &sub).await;
    Ok(position)
}

/// After a new password, attempts with the old one no longer delay the owner.
async fn clear_the_way(app: &App, sub: &Subject) {
    if let Err(error) = app.login_brake.clear_account(sub).await {
        // The password is already changed. The counters expire within an hour.
        tracing::warn!(%error, "earlier attempts with a wrong password still delay the logins of a subject");
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ClaimsRequest {
    claims: CustomClaims,
}

/// `PUT /admin/subjects/{sub}/claims`: sets the subject's claims and makes the subject's access tokens invalid. New
/// tokens contain the new claims. If a session has a claim with the same name, the token contains the subject's claim.
pub(in crate::http) async fn set_claims(
    State(app): State<Arc<App>>,
    SubjectPath(sub): SubjectPath,
    JsonBody(ClaimsRequest { claims }): JsonBody<ClaimsRequest>,
) -> Result<Position, ApiError> {
    check_custom_claims(&claims).map_err(|unfit| ApiError::invalid_request(unfit.to_string()))?;
    match app.desk.set_claims(&sub, claims).await? {
        ClaimsChange::Done(position) => Ok(position.into()),
        ClaimsChange::Unfit(unfit) => Err(unfit_together(&unfit)),
        ClaimsChange::UnknownSubject => Err(unknown_subject()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct KickQuery {
    /// The group to kick. If a client names the group and repeats the request, the second request does not end sessions
    /// that were opened after the first kick.
    gid: Option<Handle>,
}

/// `POST /admin/subjects/{sub}/revoke?gid=`: kicks the subject.
pub(in crate::http) async fn kick(
    State(app): State<Arc<App>>,
    SubjectPath(sub): SubjectPath,
    Query(query): Query<KickQuery>,
) -> Result<Position, ApiError> {
    match app.desk.kick(&sub, query.gid).await? {
        Kick::Kicked(position) => Ok(position.into()),
        Kick::NotCurrent { gid } => Err(ApiError::conflict(format!("the subject's current group is {gid}"))),
        Kick::UnknownSubject => Err(unknown_subject()),
    }
}

/// `POST /admin/subjects/{sub}/void`: the subject's access tokens become invalid. Its sessions continue, so clients
/// can refresh and get new access tokens.
pub(in crate::http) async fn void(
    State(app): State<Arc<App>>,
    SubjectPath(sub): SubjectPath,
) -> Result<Position, ApiError> {
    changed(app.desk.void(&sub).await?)
}

/// `POST /admin/subjects/{sub}/disable`: kicks the subject. After that, the subject cannot log in.
pub(in crate::http) async fn disable(
    State(app): State<Arc<App>>,
    SubjectPath(sub): SubjectPath,
) -> Result<Position, ApiError> {
    changed(app.desk.disable(&sub).await?)
}

/// `POST /admin/subjects/{sub}/enable`
pub(in crate::http) async fn enable(
    State(app): State<Arc<App>>,
    SubjectPath(sub): SubjectPath,
) -> Result<Position, ApiError> {
    changed(app.desk.enable(&sub).await?)
}

/// `DELETE /admin/subjects/{sub}/sessions/{sid}`
pub(in crate::http) async fn end_session(
    State(app): State<Arc<App>>,
    SubjectSidPath(sub, sid): SubjectSidPath,
) -> Result<Position, ApiError> {
    ended(app.desk.end_session(&sub, sid).await?)
}

async fn hashed(app: &App, password: String) -> Result<PasswordHash, ApiError> {
    let password = Password::to_be_set(SecretText::from(password))
        .map_err(|unfit| ApiError::invalid_request(unfit.to_string()))?;
    Ok(app.passwords.hash(password).await?)
}
