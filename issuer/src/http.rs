//! The HTTP API. This file contains the whole route table. Each family of endpoints has its own file, which also
//! contains the structs of the request and response bodies.

mod admin;
mod answer;
mod auth;
mod cors;
mod error;
mod extract;
mod fairness;
mod headers;
mod health;
mod introspect;
mod login;
mod object;
mod observe;
mod revocations;
mod same_site;
mod session_parameters;
mod sessions;
mod strict;
mod tokens;
mod well_known;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, delete, get, post, put};
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;

pub use answer::Position;
pub use error::ApiError;
pub use extract::JsonBody;
pub use fairness::Peer;

use crate::app::App;
use crate::config::{IssuerUrl, Origin};
use crate::life::Life;
use admin::subjects;
use headers::StrictTransport;

/// Builds the router with every route of `doorlist serve` and the additional routes in `besides`.
pub fn router(app: Arc<App>, besides: Router) -> Router {
    let strict_transport = StrictTransport::of(&app.issuer);
    let routes = Router::new()
        .merge(public(&app))
        .merge(users(&app))
        .merge(operators(&app))
        .merge(probes())
        .with_state(app)
        .merge(besides.layer(from_fn(strict::check)))
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_method);
    in_every_request(routes, strict_transport)
}

/// The routes while the issuer starts: `/healthz` answers 200, every other route answers 503. Each route has the same
/// CORS rules as after the start, so that the same pages can read the answers.
pub fn starting(issuer: &IssuerUrl, origins: &[Origin], life: watch::Receiver<Life>) -> Router {
    let public = Router::new()
        .route("/.well-known/{*path}", any(health::starting))
        .route("/revocations", any(health::starting))
        .route("/revocations/stream", any(health::starting))
        .layer(from_fn(headers::embeddable))
        .layer(cors::open());
    let rest = Router::new().fallback(health::starting).layer(cors::listed(origins));
    let routes = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::not_ready_yet))
        .with_state(life)
        .merge(public)
        .merge(rest);
    in_every_request(routes, StrictTransport::of(issuer))
}

fn in_every_request(routes: Router, strict_transport: StrictTransport) -> Router {
    routes
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(from_fn(observe::observe))
        .layer(from_fn_with_state(strict_transport, headers::complete))
        .layer(DefaultBodyLimit::max(extract::MAX_BODY_LEN))
}

/// Routes for supervisors and load balancers, which watch the process.
fn probes() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .layer(from_fn(strict::check))
}

/// Routes for every caller and for pages of every origin.
fn public(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/.well-known/jwks.json", get(well_known::jwks))
        .route("/.well-known/oauth-authorization-server", get(well_known::metadata))
        .route("/.well-known/oauth-authorization-server/{*path}", get(well_known::metadata_of_path))
        .route("/revocations", get(revocations::list))
        .route("/revocations/stream", get(revocations::follow))
        // Add the fallback for unknown methods before the CORS layer. Otherwise the fallback answers the OPTIONS
        // requests (preflights) of browsers, and the CORS layer does not get them.
        .method_not_allowed_fallback(unknown_method)
        .layer(from_fn(strict::check))
        .layer(from_fn_with_state(Arc::clone(&app.clients), fairness::limit))
        .layer(from_fn(headers::embeddable))
        .layer(cors::open())
}

/// Routes for users and their clients, from the allowed origins.
fn users(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/login", post(login::login))
        .route("/token", post(tokens::token))
        .route("/revoke", post(tokens::revoke))
        .route("/logout", post(sessions::logout))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{sid}", delete(sessions::end))
        .method_not_allowed_fallback(unknown_method)
        .layer(from_fn_with_state(Arc::clone(app), auth::require_current_name))
        .layer(from_fn(strict::check))
        .layer(from_fn_with_state(Arc::clone(&app.clients), fairness::limit))
        .layer(cors::listed(&app.allowed_origins))
}

/// Routes for operators and trusted back ends that send the admin key.
fn operators(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/introspect", post(introspect::introspect))
        .route("/admin/sessions", post(admin::sessions::open))
        .route_layer(from_fn_with_state(Arc::clone(app), auth::require_current_name))
        .route("/admin/subjects", get(subjects::list).post(subjects::create))
        .route("/admin/subjects/{sub}", get(subjects::show).delete(subjects::delete))
        .route("/admin/subjects/{sub}/password", put(subjects::set_password))
        .route("/admin/subjects/{sub}/claims", put(subjects::set_claims))
        .route("/admin/subjects/{sub}/revoke", post(subjects::kick))
        .route("/admin/subjects/{sub}/void", post(subjects::void))
        .route("/admin/subjects/{sub}/disable", post(subjects::disable))
        .route("/admin/subjects/{sub}/enable", post(subjects::enable))
        .route("/admin/subjects/{sub}/sessions/{sid}", delete(subjects::end_session))
        .route("/admin/cutoff", post(admin::cutoff::set))
        .route("/admin/keys", get(admin::keys::list))
        .route("/admin/keys/rotate", post(admin::keys::rotate))
        .route("/admin/keys/retire", post(admin::keys::retire))
        .route_layer(from_fn_with_state(Arc::clone(app), auth::require_admin_key))
        .layer(from_fn(strict::check))
        .layer(from_fn_with_state(Arc::clone(&app.clients), fairness::limit))
}

async fn unknown_route() -> ApiError {
    ApiError::not_found("there is nothing at this path")
}

async fn unknown_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "invalid_request",
        "this path does not support this method; the Allow header names those that it supports",
    )
}

#[cfg(test)]
mod tests;
