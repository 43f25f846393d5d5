//! The phases of an issuer: start, service, drain and stop.
//!
//! The issuer listens from the beginning. Until the store is open and the first list is signed, `/healthz` answers 200
//! and every other route answers 503. In every phase, a signal ends the process in an orderly way.

mod connections;
mod error;
mod framing;
mod front;
mod open;
mod open_files;
mod read_again;
mod signals;
mod start;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
#[cfg(unix)]
use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::Instant;

pub use error::ServeError;
pub use signals::{AtHangup, Signals};

use crate::app::App;
use crate::clients::Clients;
use crate::config::{Contradiction, Given, IssuerUrl, Settings};
use crate::desk::Upkeep;
use crate::http;
use crate::life::Life;
use front::Front;

/// How long the issuer waits for requests in flight when it stops.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// How long the issuer waits, after a drain, for requests on the connections that it accepted last.
const LINGER: Duration = Duration::from_millis(500);

/// An issuer that has bound its address and answers health probes. It serves every route after [`Server::run`] has
/// opened the store.
pub struct Server {
    settings: Settings,
    given: Given,
    issuer: IssuerUrl,
    address: SocketAddr,
    front: Arc<Front>,
    clients: Arc<Clients>,
    life: watch::Sender<Life>,
    accepting: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Switches core dumps off, checks the settings, reads the secrets that the settings give, and binds the address.
    /// Then answers health probes at this address.
    ///
    /// # Errors
    ///
    /// [`ServeError`] if one of these steps fails. No request is answered in that case.
    pub async fn bind(settings: Settings) -> Result<Self, ServeError> {
        no_core_dump();
        settings.check()?;
        let given = settings.secrets.given()?;
        given.suffice_for(&settings.store.store)?;
        let sizes = settings.limits.sizes(open_files::raise())?;
        let clients = Arc::new(Clients::new(settings.limits.proxies(), sizes));
        let address = settings.addresses.listen;
        let listener =
            TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })?;
        let address = listener.local_addr().map_err(ServeError::Address)?;
        let issuer = match settings.addresses.issuer.clone() {
            Some(issuer) => issuer,
            None => {
                IssuerUrl::of_address(address).ok_or(Contradiction::NamelessIssuer { listen: address })?
            }
        };
        if issuer.is_exposed() {
            tracing::warn!(%issuer, "tokens travel unencrypted, and browsers do not keep the cookie: put a proxy with TLS in front of the issuer, and set --issuer to its https:// URL");
        }
        let (life, watching) = watch::channel(Life::Starting("opening the store".into()));
        let starting = http::starting(&issuer, &settings.addresses.allowed_origins, watching.clone());
        let front = Arc::new(Front::new(starting, watching.clone()));
        // A proxy may send a request just before the drain ends. After a drain, also answer such requests.
        let linger = if settings.stop.drain_secs == 0 { Duration::ZERO } else { LINGER };
        let accepting = tokio::spawn(connections::serve(
            listener,
            Arc::clone(&front),
            Arc::clone(&clients),
            watching,
            linger,
        ));
        Ok(Self { settings, given, issuer, address, front, clients, life, accepting })
    }

    /// Opens the store. Serves every route, and the additional routes from `besides`, until a signal comes. Then
    /// drains, ends streams, lets requests in flight finish, and closes the store. Calls `ready` with the address when
    /// the issuer begins to serve every route.
    ///
    /// # Errors
    ///
    /// [`ServeError`], or an error that `besides` or `ready` returned.
    pub async fn run<E: From<ServeError>>(
        self,
        mut signals: Signals,
        besides: impl AsyncFnOnce(&Arc<App>) -> Result<Router, E>,
        ready: impl FnOnce(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { settings, given, issuer, address, front, clients, life, mut accepting } = self;
        let drain = Duration::from_secs(settings.stop.drain_secs);
        let start = async {
            let app = start::patiently(&settings, given, issuer, &clients, &life).await?;
            let besides = besides(&app).await?;
            // Sign the list before the first request is served, so that the issuer has a list for every client.
            life.send_replace(Life::Starting("signing the first list".into()));
            app.revocations.publish().await;
            for former in &app.former {
                former.revocations.publish().await;
            }
            Ok::<_, E>((app, besides))
        };
        let started = tokio::select! {
            biased;
            () = signals.next() => None,
            ended = &mut accepting => return Err(no_longer_listening(ended).into()),
            started = start => Some(started?),
        };
        let Some((app, besides)) = started else {
            tracing::info!("stopping before the start is complete");
            finish(&life, accepting).await;
            return Ok(());
        };
        let mut background = background(&app);
        let reading = read_again::at_each_hangup(
            signals.hangups(),
            settings.secrets,
            settings.store.store,
            Arc::clone(&app),
        );
        background.spawn(reading);
        front.serve(http::router(app, besides));
        life.send_replace(Life::Serving);
        clients.report();
        ready(&format!("http://{address}"))?;
        tokio::select! {
            () = signals.next() => {}
            failure = failure(&mut background, &mut accepting) => return Err(failure.into()),
        }
        if !drain.is_zero() {
            tracing::info!(
                secs = drain.as_secs(),
                "draining: /readyz answers 503, all requests are still served"
            );
            let until = Instant::now() + drain;
            life.send_replace(Life::Draining { until });
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                () = signals.next() => tracing::info!("a second signal: the drain ends now"),
                failure = failure(&mut background, &mut accepting) => return Err(failure.into()),
            }
        }
        tracing::info!("stopping");
        finish(&life, accepting).await;
        background.shutdown().await;
        Ok(())
    }
}

/// Resolves when a background task has ended, or when the listener no longer accepts connections. In both cases
/// the issuer cannot continue.
async fn failure(background: &mut JoinSet<()>, accepting: &mut JoinHandle<io::Result<()>>) -> ServeError {
    tokio::select! {
        Some(ended) = background.join_next() => {
            ServeError::Background(ended.err().map_or_else(|| "it ended without an error".to_owned(), |error| error.to_string()))
        }
        ended = accepting => no_longer_listening(ended),
    }
}

fn no_longer_listening(ended: Result<io::Result<()>, JoinError>) -> ServeError {
    let error = match ended {
        Ok(Ok(())) => io::Error::other("it ended without an error"),
        Ok(Err(error)) => error,
        Err(panicked) => io::Error::other(panicked),
    };
    ServeError::Listener(error)
}

/// Stops accepting connections. Waits until the requests in flight are answered, but not longer than [`STOP_LIMIT`].
async fn finish(life: &watch::Sender<Life>, accepting: JoinHandle<io::Result<()>>) {
    life.send_replace(Life::Stopping);
    if tokio::time::timeout(STOP_LIMIT, accepting).await.is_err() {
        tracing::warn!("some requests were not answered before the end");
    }
}

/// Asks the system to write no core dump of this process, because its memory holds secrets.
///
/// The limit is 1 byte. No file of this length is written. And Linux gives a dump to no program in
/// `/proc/sys/kernel/core_pattern` at this limit, although it does so at a limit of 0.
///
/// `PR_SET_DUMPABLE` would also hide the memory from other processes of the same user. But it gives the files of this
/// process in `/proc` to root, so that operators could not look at its limits and open files any more.
fn no_core_dump() {
    #[cfg(unix)]
    {
        let one_byte = Rlimit { current: Some(1), maximum: Some(1) };
        if let Err(error) = setrlimit(Resource::Core, one_byte) {
            tracing::warn!(%error, "core dumps cannot be switched off: a crash may write secrets to the disk");
        }
    }
}

fn background(app: &Arc<App>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let upkeep = Arc::new(Upkeep::new(Arc::clone(&app.desk)));
    let following = Arc::clone(&upkeep);
    tasks.spawn(async move { following.tail().await });
    tasks.spawn(async move { upkeep.heartbeats().await });
    let revocations = Arc::clone(&app.revocations);
    tasks.spawn(async move { revocations.run().await });
    for former in &app.former {
        let revocations = Arc::clone(&former.revocations);
        tasks.spawn(async move { revocations.run().await });
    }
    let comparing = Arc::clone(app);
    tasks.spawn(async move { comparing.installation.run(comparing.desk.heartbeat()).await });
    tasks
}
