//! `/healthz`, `/readyz`, and the answer of every other route while the issuer starts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;
use tokio::sync::watch;

use super::ApiError;
use super::answer::{Position, no_store};
use crate::app::App;
use crate::life::Life;

/// `GET /healthz`: answers 200 while the process is alive. After an error from which the process cannot recover, the
/// process ends, and connections are refused.
pub(super) async fn healthz() -> Response {
    no_store(Json(json!({ "status": "ok" })))
}

/// `GET /readyz`: answers 200 if this node can sign lists and the store confirms that no write is missing.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    if app.life.borrow().is_ending() {
        return Err(ApiError::unavailable("the issuer is stopping"));
    }
    if app.installation.is_renamed() {
        return Err(ApiError::unavailable("the issuer was renamed; this node has not been restarted yet"));
    }
    if let Some(trouble) = app.revocations.trouble() {
        return Err(ApiError::unavailable(trouble));
    }
    Ok(no_store(Json(json!({ "status": "ok", "list": app.revocations.position().map(Position::from) }))))
}

/// `GET /readyz` while the issuer starts: answers 503 and names the current step of the start.
pub(super) async fn not_ready_yet(State(life): State<watch::Receiver<Life>>) -> ApiError {
    if let Life::Starting(step) = &*life.borrow() {
        return ApiError::unavailable(format!("starting: {step}"));
    }
    starting().await
}

/// The answer of every other route while the issuer starts.
pub(super) async fn starting() -> ApiError {
    ApiError::unavailable("the issuer is starting: ask again")
}
