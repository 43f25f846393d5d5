//! Accepting connections: quick to send, not to be held by half a request, closed in good order.

use std::future::Future;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_io_timeout::TimeoutStream;

/// A request's head that is not there after this was not meant seriously. An idle connection ends after it too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest head of a request, in bytes.
const MAX_HEAD_LEN: usize = 64 << 10;
/// Whoever takes nothing of an answer for so long is gone, or holds a stream that it does not read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// After an error that is not one connection's, such as no file descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` resolves, then takes no more connections and waits until every request is answered.
pub(super) async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            // Without the delay of Nagle, else a small event waits for the acknowledgement of the one before it.
            Ok((stream, _)) => match stream.set_nodelay(true) {
                Ok(()) => serve_one(stream, router.clone(), &graceful),
                Err(error) => tracing::debug!(%error, "a connection went away"),
            },
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    graceful.shutdown().await;
}

fn serve_one<S>(stream: S, router: Router, graceful: &GracefulShutdown)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_LEN)
        .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(router));
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::{Body, Bytes};
    use axum::routing::get;
    use futures_util::stream;
    use tokio::io::AsyncWriteExt;
    use tokio::sync::mpsc;

    use super::*;

    /// Time passes by itself here while everybody waits.
    #[tokio::test(start_paused = true)]
    async fn a_stream_that_nobody_reads_is_given_up() {
        let (holder, mut told) = mpsc::channel::<()>(1);
        let endless = get(move || async move {
            Body::from_stream(stream::repeat_with(move || {
                let _held = &holder;
                Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 1024]))
            }))
        });
        let (mut client, server) = tokio::io::duplex(4096);
        let graceful = GracefulShutdown::new();
        serve_one(server, Router::new().route("/", endless), &graceful);
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("it is read");
        let dropped = tokio::time::timeout(2 * WRITE_TIMEOUT, told.recv()).await;
        assert_eq!(dropped, Ok(None), "the stream is dropped, and what it held with it");
    }
}
