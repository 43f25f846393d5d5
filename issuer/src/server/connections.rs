//! Accepts connections and serves the requests on them. Sends small events without delay. Ends a connection that
//! stalls. Closes any other connection only after the requests on it are answered.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_io_timeout::TimeoutStream;

use super::front::Front;
use crate::life::Life;

/// The head of a request must arrive within this time. An idle connection is closed after the same time.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Largest head of a request, in bytes.
const MAX_HEAD_LEN: usize = 64 << 10;
/// If a client reads nothing of an answer for this long, its connection ends. Such a client is gone, or keeps a
/// stream open without reading it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause after an error of `accept` that affects all connections, for example if no file descriptor is free.
const PAUSE: Duration = Duration::from_millis(100);
/// Least time between two lines of log output about connections that could not be accepted.
const REPEAT_AFTER: Duration = Duration::from_secs(10);
/// When the server stops, new connections may still wait in the system's queue for this listener. The server accepts
/// at most this many of them.
const LAST: usize = 1024;

/// Serves connections until the process stops. Then accepts the connections that still wait in the system's queue, and
/// closes the listener. Waits `linger` for requests on these last connections. Returns when every request is answered.
///
/// # Errors
///
/// The listener's error, if the listener can never accept again.
pub(super) async fn serve(
    listener: TcpListener,
    front: Arc<Front>,
    mut life: watch::Receiver<Life>,
    linger: Duration,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let mut refusals = Refusals::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = life.wait_for(|life| *life == Life::Stopping) => break,
        };
        match accepted {
            Ok((stream, _)) => accept_one(stream, &front, &graceful),
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {
                tracing::debug!(%error, "a connection closed before it was accepted");
            }
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => {
                refusals.note(&error);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    accept_the_last(listener, &front, &graceful);
    tokio::time::sleep(linger).await;
    graceful.shutdown().await;
    Ok(())
}

/// Whether the error means that the listener can never accept again. All other errors are temporary, for example if
/// no file descriptor is free or the network is down.
fn is_final(error: &io::Error) -> bool {
    // EINVAL (accept(2)): the socket no longer listens, so every retry would fail.
    error.kind() == io::ErrorKind::InvalidInput
}

/// Accepts the connections that still wait in the system's queue. If the listener were closed first, the system would
/// reset these connections, and their requests would be lost.
fn accept_the_last(listener: TcpListener, front: &Arc<Front>, graceful: &GracefulShutdown) {
    let Ok(listener) = listener.into_std() else { return };
    for (stream, _) in std::iter::from_fn(|| listener.accept().ok()).take(LAST) {
        if stream.set_nonblocking(true).is_ok()
            && let Ok(stream) = TcpStream::from_std(stream)
        {
            accept_one(stream, front, graceful);
        }
    }
}

fn accept_one(stream: TcpStream, front: &Arc<Front>, graceful: &GracefulShutdown) {
    // Disables Nagle's algorithm. Otherwise a small event would wait until the client acknowledged the previous event.
    match stream.set_nodelay(true) {
        Ok(()) => serve_one(stream, front, graceful),
        Err(error) => tracing::debug!(%error, "a connection closed before it could be served"),
    }
}

fn serve_one<S>(stream: S, front: &Arc<Front>, graceful: &GracefulShutdown)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let front = Arc::clone(front);
    let service = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { front.answer(request).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_LEN)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

/// Counts failed accepts, and limits the lines of log output about them. Without the limit, a lasting cause and many
/// clients would fill the log output.
#[derive(Default)]
struct Refusals {
    last: Option<Instant>,
    unsaid: u64,
}

impl Refusals {
    fn note(&mut self, error: &io::Error) {
        self.unsaid += 1;
        if self.last.is_none_or(|last| last.elapsed() >= REPEAT_AFTER) {
            tracing::warn!(%error, attempts = self.unsaid, "no connection can be accepted; trying again");
            *self = Self { last: Some(Instant::now()), unsaid: 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::Router;
    use axum::body::{Body, Bytes};
    use axum::routing::get;
    use futures_util::stream;
    use tokio::io::AsyncWriteExt;
    use tokio::sync::mpsc;

    use super::*;

    fn front(router: Router) -> (Arc<Front>, watch::Sender<Life>) {
        let (life, watching) = watch::channel(Life::Serving);
        (Arc::new(Front::new(router, watching)), life)
    }

    /// If the listener can never accept again, `serve` returns the error and does not try again.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn b2_serving_ends_if_the_listener_can_never_accept_again() {
        let listener =
            TcpListener::bind("127.0.0.1:0").await.expect("a free port").into_std().expect("a socket");
        let same = listener.try_clone().expect("a second handle");
        let (front, life) = front(Router::new());
        let listener = TcpListener::from_std(listener).expect("a listener");
        let serving = tokio::spawn(serve(listener, front, life.subscribe(), Duration::ZERO));
        rustix::net::shutdown(&same, rustix::net::Shutdown::Both).expect("the socket listened");
        let ended = tokio::time::timeout(Duration::from_secs(60), serving).await.expect("`serve` ends");
        let error = ended.expect("no panic").expect_err("the listener cannot accept");
        assert!(is_final(&error), "{error}");
        // The numbers of EMFILE, ENFILE, ENOBUFS and ENETDOWN on Linux.
        for passing in [24, 23, 105, 100] {
            assert!(!is_final(&io::Error::from_raw_os_error(passing)), "{passing}");
        }
    }

    /// The time is paused. The clock advances automatically while all tasks wait.
    #[tokio::test(start_paused = true)]
    async fn an_unread_stream_is_closed() {
        let (holder, mut told) = mpsc::channel::<()>(1);
        let endless = get(move || async move {
            Body::from_stream(stream::repeat_with(move || {
                let _held = &holder;
                Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 1024]))
            }))
        });
        let (mut client, server) = tokio::io::duplex(4096);
        let graceful = GracefulShutdown::new();
        serve_one(server, &front(Router::new().route("/", endless)).0, &graceful);
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("the server reads the request");
        let dropped = tokio::time::timeout(2 * WRITE_TIMEOUT, told.recv()).await;
        assert_eq!(dropped, Ok(None), "the stream is dropped, and what it held with it");
    }
}
