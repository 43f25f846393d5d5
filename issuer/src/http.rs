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
mod scopes;
mod session_parameters;
mod sessions;
mod strict;
mod tokens;
mod well_known;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, delete, get, post};
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;

pub use answer::Position;
pub use error::ApiError;
pub use extract::JsonBody;
pub use fairness::Peer;

use crate::app::App;
use crate::config::{IssuerUrl, Origin};
use crate::life::Life;
use crate::secret::Scope;
use admin::subjects;
use headers::StrictTransport;
use scopes::OperatorRoutes;

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

/// Routes for operators and trusted back ends that send an admin key.
fn operators(app: &Arc<App>) -> Router<Arc<App>> {
    let [signing, others] = operator_routes();
    signing
        .router
        .route_layer(from_fn_with_state(Arc::clone(app), auth::require_current_name))
        .merge(others.router)
        .route_layer(from_fn_with_state(Arc::clone(app), auth::require_admin_key))
        .layer(from_fn(strict::check))
        .layer(from_fn_with_state(Arc::clone(&app.clients), fairness::limit))
}

/// The operators' routes, each with the scopes that open it; the scope `all` opens every route. The first group are the
/// routes that sign or check tokens under the issuer's name.
///
/// A key with the scope `kick` reads one subject, because it must know the `sid` of the session that it ends. It does
/// not enable a subject and does not cut off all subjects: a stolen key of this scope can sign users out, but lets no
/// user in and spares the others.
fn operator_routes() -> [OperatorRoutes; 2] {
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    const PUT: Method = Method::PUT;
    const DELETE: Method = Method::DELETE;
    let signing = OperatorRoutes::default()
        .on(POST, "/introspect", &[Scope::Read], introspect::introspect)
        .on(POST, "/admin/sessions", &[], admin::sessions::open);
    let others = OperatorRoutes::default()
        .on(GET, "/admin/subjects", &[Scope::Read], subjects::list)
        .on(POST, "/admin/subjects", &[], subjects::create)
        .on(GET, "/admin/subjects/{sub}", &[Scope::Read, Scope::Kick], subjects::show)
        .on(DELETE, "/admin/subjects/{sub}", &[], subjects::delete)
        .on(PUT, "/admin/subjects/{sub}/password", &[], subjects::set_password)
        .on(PUT, "/admin/subjects/{sub}/claims", &[], subjects::set_claims)
        .on(POST, "/admin/subjects/{sub}/revoke", &[Scope::Kick], subjects::kick)
        .on(POST, "/admin/subjects/{sub}/void", &[Scope::Kick], subjects::void)
        .on(POST, "/admin/subjects/{sub}/disable", &[Scope::Kick], subjects::disable)
        .on(POST, "/admin/subjects/{sub}/enable", &[], subjects::enable)
        .on(DELETE, "/admin/subjects/{sub}/sessions/{sid}", &[Scope::Kick], subjects::end_session)
        .on(POST, "/admin/cutoff", &[], admin::cutoff::set)
        .on(GET, "/admin/keys", &[Scope::Read], admin::keys::list)
        .on(POST, "/admin/keys/rotate", &[], admin::keys::rotate)
        .on(POST, "/admin/keys/retire", &[], admin::keys::retire);
    [signing, others]
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
