//! Limits the requests in flight of each client, so that one client cannot take all places.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};

use super::ApiError;
use crate::clients::{Clients, Share};

/// The address at the other end of the connection: a client or a proxy. The server adds it to each request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Answers 429 if the client has too many requests in flight. Adds the [`Sender`](crate::clients::Sender) to the
/// request.
pub async fn limit(State(clients): State<Arc<Clients>>, mut request: Request, next: Next) -> Response {
    let Some(Peer(peer)) = request.extensions().get().copied() else { return next.run(request).await };
    let sender = clients.sender(peer, request.headers());
    request.extensions_mut().insert(sender);
    match clients.request(sender) {
        Ok(share) => next.run(request).await.map(|body| Body::new(Held { body, _share: share })),
        Err(_) => too_many().into_response(),
    }
}

/// A body that keeps the place until the whole body is sent. A stream's body ends with the stream.
struct Held {
    body: Body,
    _share: Share,
}

impl hyper::body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    // Without the exact size, the answer would have no `Content-Length`.
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn too_many() -> ApiError {
    let description = "this address has too many requests and streams open: close some, or try again later";
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", description).retry_after(1)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use futures_util::stream;
    use tower::ServiceExt;

    use super::*;
    use crate::clients::{Sizes, TrustedProxies};

    fn router() -> Router {
        let sizes = Sizes { in_all: 10, per_address: 2, reserved: 0 };
        let clients = Arc::new(Clients::new(TrustedProxies::default(), sizes));
        let endless = || async { Body::from_stream(stream::pending::<Result<String, std::io::Error>>()) };
        Router::new()
            .route("/stream", get(endless))
            .route("/text", get(|| async { "text" }))
            .layer(from_fn_with_state(clients, limit))
    }

    async fn ask(router: &Router, path: &str, peer: &str, forwarded: Option<&str>) -> Response {
        let mut request = Request::get(path).extension(Peer(peer.parse().expect("an address")));
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        let request = request.body(Body::empty()).expect("a request");
        router.clone().oneshot(request).await.expect("a router does not fail")
    }

    #[tokio::test]
    async fn b11_a_client_with_many_streams_gets_429_and_other_clients_do_not() {
        let router = router();
        let first = ask(&router, "/stream", "192.0.2.1", None).await;
        let _second = ask(&router, "/stream", "192.0.2.1", None).await;
        let refused = ask(&router, "/text", "192.0.2.1", None).await;
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.headers()["retry-after"], "1");
        let other = ask(&router, "/text", "192.0.2.2", None).await;
        assert_eq!(other.status(), StatusCode::OK);
        assert_eq!(other.headers()["content-length"], "4");
        drop(first);
        assert_eq!(ask(&router, "/text", "192.0.2.1", None).await.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn the_clients_of_a_proxy_that_is_not_listed_share_no_limit() {
        let router = router();
        let mut streams = Vec::new();
        for _ in 0..5 {
            streams.push(ask(&router, "/stream", "127.0.0.1", Some("192.0.2.1")).await);
        }
        assert_eq!(ask(&router, "/text", "127.0.0.1", Some("192.0.2.1")).await.status(), StatusCode::OK);
    }
}
