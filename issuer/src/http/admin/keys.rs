//! `/admin/keys`: the signing keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use doorlist_verifier::KeyId;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::http::ApiError;
use crate::http::answer::{Position, no_store};
use crate::http::extract::JsonBody;
use crate::keys::KeyStatus;
use crate::revocations::store_time;

#[derive(Serialize)]
struct KeysAnswer {
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    position: Option<Position>,
    keys: Vec<KeyStatus>,
}

/// `GET /admin/keys`
pub(in crate::http) async fn list(State(app): State<Arc<App>>) -> Response {
    no_store(Json(KeysAnswer { position: None, keys: app.keys.ring().status() }))
}

/// `POST /admin/keys/rotate`: makes the announced key the signing key. Answers 409 if the announced key has not been
/// published for long enough.
pub(in crate::http) async fn rotate(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let now = store_time(&app.desk.confirmed().await?);
    let retain_secs = app.desk.log(|log| log.settings().retain_secs);
    let position = app.keys.rotate(now, app.lifetimes.key_published_secs(), retain_secs).await?;
    Ok(no_store(Json(KeysAnswer { position: Some(position.into()), keys: app.keys.ring().status() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RetireRequest {
    kid: KeyId,
}

/// `POST /admin/keys/retire`: the key and every token that it signed become invalid at once.
pub(in crate::http) async fn retire(
    State(app): State<Arc<App>>,
    JsonBody(request): JsonBody<RetireRequest>,
) -> Result<Response, ApiError> {
    let now = store_time(&app.desk.confirmed().await?);
    let position = app.keys.retire(request.kid, now).await?;
    Ok(no_store(Json(KeysAnswer { position: Some(position.into()), keys: app.keys.ring().status() })))
}
