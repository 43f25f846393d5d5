//! `/admin/cutoff`: makes the access tokens of all subjects invalid.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use doorlist_verifier::UnixSeconds;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::desk::CutoffSessions;
use crate::http::ApiError;
use crate::http::answer::{Position, no_store};
use crate::http::extract::JsonBody;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CutoffRequest {
    /// Whether all sessions end too. If not, clients can refresh and get new access tokens.
    end_sessions: bool,
}

#[derive(Serialize)]
struct CutoffAnswer {
    #[serde(flatten)]
    position: Position,
    cutoff: UnixSeconds,
}

/// `POST /admin/cutoff`
pub(in crate::http) async fn set(
    State(app): State<Arc<App>>,
    JsonBody(request): JsonBody<CutoffRequest>,
) -> Result<Response, ApiError> {
    let sessions = if request.end_sessions { CutoffSessions::End } else { CutoffSessions::Keep };
    let set = app.desk.cutoff(sessions).await?;
    Ok(no_store(Json(CutoffAnswer { position: set.position.into(), cutoff: set.cutoff })))
}
