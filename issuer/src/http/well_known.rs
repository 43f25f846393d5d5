//! Documents in which verifiers and clients find the keys and the addresses of all endpoints.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::ApiError;
use crate::app::App;

/// `GET /.well-known/jwks.json`: the key set (RFC 7517 §5).
pub(super) async fn jwks(State(app): State<Arc<App>>) -> Response {
    let cache = format!("public, max-age={}", app.lifetimes.jwks_max_age_secs());
    let headers =
        [(header::CONTENT_TYPE, "application/jwk-set+json".to_owned()), (header::CACHE_CONTROL, cache)];
    (headers, Json(app.revocations.jwks())).into_response()
}

/// The metadata of RFC 8414 §2, and the addresses of the revocation list and its stream.
#[derive(Serialize)]
struct Metadata {
    issuer: String,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    jwks_uri: String,
    revocation_list_uri: String,
    revocation_stream_uri: String,
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 1],
    revocation_endpoint_auth_methods_supported: [&'static str; 1],
    introspection_endpoint_auth_methods_supported: [&'static str; 1],
}

/// `GET /.well-known/oauth-authorization-server/{path}`: the address of the metadata if the issuer's URL has a path
/// (RFC 8414 §3.1).
pub(super) async fn metadata_of_path(
    state: State<Arc<App>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let issuer = state.former_name_of(&headers).map_or(&state.issuer, |former| &former.issuer);
    if issuer.path().strip_prefix('/') != Some(path.as_str()) {
        return Err(ApiError::not_found("this is not the issuer's path"));
    }
    Ok(metadata(state, headers).await)
}

/// `GET /.well-known/oauth-authorization-server`: the metadata (RFC 8414 §3).
pub(super) async fn metadata(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let issuer = app.former_name_of(&headers).map_or(&app.issuer, |former| &former.issuer);
    let at = |path| issuer.join(path);
    let metadata = Metadata {
        issuer: issuer.to_string(),
        token_endpoint: at("/token"),
        revocation_endpoint: at("/revoke"),
        introspection_endpoint: at("/introspect"),
        jwks_uri: at("/.well-known/jwks.json"),
        revocation_list_uri: at("/revocations"),
        revocation_stream_uri: at("/revocations/stream"),
        response_types_supported: [],
        grant_types_supported: ["refresh_token"],
        token_endpoint_auth_methods_supported: ["none"],
        revocation_endpoint_auth_methods_supported: ["none"],
        // RFC 8414 §2: callers send the admin key as a `Bearer` token.
        introspection_endpoint_auth_methods_supported: ["Bearer"],
    };
    let cache = format!("public, max-age={}", app.lifetimes.jwks_max_age_secs());
    ([(header::CACHE_CONTROL, cache)], Json(metadata)).into_response()
}
