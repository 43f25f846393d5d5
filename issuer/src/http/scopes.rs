//! Which scopes of an admin key open which route.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, on};

use super::auth;
use crate::app::App;
use crate::secret::Scope;

/// Routes that need an admin key. A route can be added only together with its scopes, so no route lacks them.
#[derive(Default)]
pub struct OperatorRoutes {
    pub router: Router<Arc<App>>,
    /// Each route with its scopes, for the tests.
    #[cfg(test)]
    pub scopes: Vec<(Method, &'static str, &'static [Scope])>,
}

impl OperatorRoutes {
    /// Adds a route. Keys with one of these scopes open it, and keys with the scope `all`.
    pub fn on<H, T>(
        mut self,
        method: Method,
        path: &'static str,
        scopes: &'static [Scope],
        handler: H,
    ) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        #[cfg(test)]
        self.scopes.push((method.clone(), path, scopes));
        let filter = MethodFilter::try_from(method).expect("a method of HTTP");
        let route = on(filter, handler).route_layer(from_fn_with_state(scopes, auth::require_scope));
        self.router = self.router.route(path, route);
        self
    }
}
