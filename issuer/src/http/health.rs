//! `/healthz`, `/readyz`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::ApiError;
use super::answer::{Position, no_store};
use crate::app::App;

/// `GET /healthz`: the process answers.
pub(super) async fn healthz() -> Response {
    no_store(Json(json!({ "status": "ok" })))
}

/// `GET /readyz`: the store confirms that nothing is missing, and lists are signed.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    if *app.stopping.borrow() {
        return Err(ApiError::unavailable("the issuer is stopping"));
    }
    if let Some(trouble) = app.revocations.trouble() {
        return Err(ApiError::unavailable(trouble));
    }
    Ok(no_store(Json(json!({ "status": "ok", "list": app.revocations.position().map(Position::from) }))))
}
