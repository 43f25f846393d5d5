//! `/admin/sessions`: opens a session for a user whom a trusted back end has already authenticated.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use crate::app::App;
use crate::desk::Proof;
use crate::domain::CustomClaims;
use crate::http::ApiError;
use crate::http::answer::{Delivery, logged_in};
use crate::http::extract::{JsonBody, subject};
use crate::http::session_parameters::open_session;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct OpenRequest {
    sub: String,
    client_id: Option<String>,
    scope: Option<String>,
    device: Option<String>,
    #[serde(default)]
    claims: CustomClaims,
}

/// `POST /admin/sessions`
pub(in crate::http) async fn open(
    State(app): State<Arc<App>>,
    JsonBody(request): JsonBody<OpenRequest>,
) -> Result<Response, ApiError> {
    app.desk.check_clock()?;
    let sub = subject(request.sub)?;
    let session = open_session(request.client_id, request.scope, request.device, request.claims)?;
    logged_in(&app, app.desk.open_session(&sub, session, Proof::Trusted).await?, Delivery::Body, None)
}
