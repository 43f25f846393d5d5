//! Chooses the router for each request. While the issuer starts, one router answers health probes only. After the
//! start, another router serves every route. Connections stay open when the router changes.

use std::convert::Infallible;
use std::sync::OnceLock;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;

use super::framing;
use crate::life::Life;

/// See the [module](self).
pub(super) struct Front {
    starting: Router,
    serving: OnceLock<Router>,
    life: watch::Receiver<Life>,
}

impl Front {
    pub(super) fn new(starting: Router, life: watch::Receiver<Life>) -> Self {
        Self { starting, serving: OnceLock::new(), life }
    }

    /// Uses this router, which has every route, for all further requests.
    pub(super) fn serve(&self, router: Router) {
        if self.serving.set(router).is_err() {
            unreachable!("an issuer starts once");
        }
    }

    /// Answers a request. When the issuer drains or stops, each answer has the header `Connection: close`. A client or
    /// proxy then opens a new connection for its next request, and so moves to another node. No connection is closed
    /// while a request is on its way. The answer to a request that a proxy may have understood in another way has the
    /// same header.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Result<Response, Infallible> {
        let router = self.serving.get().unwrap_or(&self.starting).clone();
        let framed = framing::check(request.version(), request.uri(), request.headers());
        let is_refused = framed.is_err();
        let mut response = match framed {
            Ok(()) => TowerToHyperService::new(router).call(request).await?,
            Err(refused) => refused.into_response(),
        };
        if is_refused || self.life.borrow().is_ending() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}
