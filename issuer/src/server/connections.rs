//! Accepts connections and serves the requests on them. Sends small events without delay. Ends a connection that
//! stalls. Closes any other connection only after the requests on it are answered.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use hyper::body::Incoming;
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
use crate::clients::{Clients, Full, Share};
use crate::http::Peer;
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
/// Least time between two lines of log output about connections that could not be accepted, or were refused.
const REPEAT_AFTER: Duration = Duration::from_secs(10);
/// The answer to a connection from an address that already has too many connections.
const TOO_MANY_OF_ADDRESS: &str = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncache-control: no-store\r\n\
    content-length: 0\r\nconnection: close\r\n\r\n";
/// The answer to a connection when all clients together have too many connections.
const TOO_MANY_IN_ALL: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncache-control: no-store\r\n\
    content-length: 0\r\nconnection: close\r\n\r\n";
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
    clients: Arc<Clients>,
    mut life: watch::Receiver<Life>,
    linger: Duration,
) -> io::Result<()> {
    let mut acceptor =
        Acceptor { front, clients, graceful: GracefulShutdown::new(), refused: Repeated::default() };
    let mut failures = Repeated::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = life.wait_for(|life| *life == Life::Stopping) => break,
        };
        match accepted {
            Ok((stream, peer)) => acceptor.accept(stream, peer.ip()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {
                tracing::debug!(%error, "a connection closed before it was accepted");
            }
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => {
                failures.note(|attempts| {
                    tracing::warn!(%error, attempts, "no connection can be accepted; trying again");
                });
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    acceptor.accept_the_last(listener);
    tokio::time::sleep(linger).await;
    acceptor.graceful.shutdown().await;
    Ok(())
}

/// Whether the error means that the listener can never accept again. All other errors are temporary, for example if
/// no file descriptor is free or the network is down.
fn is_final(error: &io::Error) -> bool {
    // EINVAL (accept(2)): the socket no longer listens, so every retry would fail.
    error.kind() == io::ErrorKind::InvalidInput
}

/// Serves each connection that it accepts.
struct Acceptor {
    front: Arc<Front>,
    clients: Arc<Clients>,
    graceful: GracefulShutdown,
    /// The connections that were closed because no place was free.
    refused: Repeated,
}

impl Acceptor {
    /// Accepts the connections that still wait in the system's queue. If the listener were closed first, the system
    /// would reset these connections, and their requests would be lost.
    fn accept_the_last(&mut self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else { return };
        for (stream, peer) in std::iter::from_fn(|| listener.accept().ok()).take(LAST) {
            if stream.set_nonblocking(true).is_ok()
                && let Ok(stream) = TcpStream::from_std(stream)
            {
                self.accept(stream, peer.ip());
            }
        }
    }

    fn accept(&mut self, stream: TcpStream, peer: IpAddr) {
        let place = match self.clients.connect(peer) {
            Ok(place) => place,
            Err(full) => {
                self.refuse(&stream, full, peer);
                return;
            }
        };
        // Disables Nagle's algorithm. Otherwise a small event would wait until the client acknowledged the previous
        // event.
        match stream.set_nodelay(true) {
            Ok(()) => serve_one(stream, peer, place, &self.front, &self.graceful),
            Err(error) => tracing::debug!(%error, "a connection closed before it could be served"),
        }
    }

    /// Answers without reading a request, and closes the connection. A client that sends a large request may see only
    /// that the connection was closed.
    fn refuse(&mut self, stream: &TcpStream, full: Full, peer: IpAddr) {
        let (answer, reason) = match full {
            Full::Address => {
                (TOO_MANY_OF_ADDRESS, "its address has too many connections (--max-per-address)")
            }
            Full::Issuer => (TOO_MANY_IN_ALL, "the issuer has too many connections (--max-connections)"),
        };
        // The buffer of a new connection has room for the answer. If the client has closed the connection already, no
        // answer is needed.
        let _ = stream.try_write(answer.as_bytes());
        self.refused.note(|connections| {
            tracing::warn!(connections, %peer, reason, "connections were refused; this line names the last one");
        });
    }
}

fn serve_one<S>(stream: S, peer: IpAddr, place: Share, front: &Arc<Front>, graceful: &GracefulShutdown)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let front = Arc::clone(front);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
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
        let _place = place;
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

/// Limits the lines of log output about the same event. Without the limit, a lasting cause and many clients would fill
/// the log output.
#[derive(Default)]
struct Repeated {
    last: Option<Instant>,
    unsaid: u64,
}

impl Repeated {
    /// Counts the event. Calls `say` with the number of events since the last line, if that line is old enough.
    fn note(&mut self, say: impl FnOnce(u64)) {
        self.unsaid += 1;
        if self.last.is_none_or(|last| last.elapsed() >= REPEAT_AFTER) {
            say(self.unsaid);
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
    use crate::clients::{Sizes, TrustedProxies};

    fn clients() -> Arc<Clients> {
        let sizes = Sizes { in_all: 10, per_address: 10, reserved: 0 };
        Arc::new(Clients::new(TrustedProxies::default(), sizes))
    }

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
        let serving = tokio::spawn(serve(listener, front, clients(), life.subscribe(), Duration::ZERO));
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
        let peer = IpAddr::from([192, 0, 2, 1]);
        let place = clients().connect(peer).expect("free");
        serve_one(server, peer, place, &front(Router::new().route("/", endless)).0, &graceful);
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("the server reads the request");
        let dropped = tokio::time::timeout(2 * WRITE_TIMEOUT, told.recv()).await;
        assert_eq!(dropped, Ok(None), "the stream is dropped, and what it held with it");
    }
}
