//! A running issuer: opened, listening, stopped in good order.

mod connections;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::config::{
    Contradiction, IssuerUrl, LostStore, Presence, SecretsError, Settings, StoreAge, StoreSettings, StoreUrl,
    check_presence,
};
use crate::desk::Desk;
use crate::http;
use crate::keys::{Keys, KeysError};
use crate::password::Passwords;
use crate::refresh_cookie::RefreshCookie;
use crate::refresh_token::RefreshTokens;
use crate::revocations::{Revocations, store_time};
use crate::store::{EmbeddedStore, RedisStore, Store, StoreError};

/// What is in flight when the issuer stops has so long to finish.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Why the issuer did not start, or stopped by itself; one sentence.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Settings contradict each other.
    #[error(transparent)]
    Settings(#[from] Contradiction),
    /// Secrets cannot be had.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// See [`LostStore`].
    #[error(transparent)]
    LostStore(#[from] LostStore),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The certificates of the store cannot be read.
    #[error("cannot read {}: {source}; correct --store-ca-file (DOORLIST_STORE_CA_FILE)", file.display())]
    Certificates {
        /// `--store-ca-file`.
        file: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The key ring cannot be read.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another with --listen (DOORLIST_LISTEN)")]
    Listen {
        /// `--listen`.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The verifier takes neither the issuer nor its keys.
    #[error("the revocation list cannot be made: {0}")]
    List(#[from] doorlist_verifier::Error),
    /// The address that was taken cannot be told.
    #[error("cannot tell the address: {0}")]
    Address(#[from] io::Error),
    /// A background task ended.
    #[error("a background task ended unexpectedly: {0}")]
    Background(String),
}

/// An issuer that is open and bound, and not yet serving.
pub struct Server {
    listener: TcpListener,
    app: Arc<App>,
    stop: watch::Sender<bool>,
}

impl Server {
    /// Checks settings, reads secrets, opens the store, binds the address.
    ///
    /// # Errors
    ///
    /// [`ServeError`], before anything is served.
    pub async fn open(settings: Settings) -> Result<Self, ServeError> {
        settings.check()?;
        let given = settings.secrets.given()?;
        let address = settings.addresses.listen;
        let listener =
            TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })?;
        let issuer = match settings.addresses.issuer {
            Some(issuer) => issuer,
            None => {
                let listen = listener.local_addr()?;
                IssuerUrl::of_address(listen).ok_or(Contradiction::NamelessIssuer { listen })?
            }
        };
        if issuer.is_exposed() {
            tracing::warn!(%issuer, "tokens travel in the clear, and browsers keep no cookie: put a proxy with TLS before it, and https:// into --issuer");
        }
        let heartbeat = Duration::from_secs(settings.lifetimes.heartbeat_secs);
        let store = open_store(&settings.store).await?;
        let desk = Desk::open(store, settings.lifetimes.limits(), heartbeat).await?;
        let age = if desk.keys().await?.is_some() { StoreAge::Used } else { StoreAge::New };
        let secrets = given.or_beside(&settings.store.store, age)?;
        let now = store_time(&desk.standing());
        let keys = Arc::new(Keys::open(Arc::clone(&desk), secrets.master.clone(), now).await?);
        let revocations = Revocations::new(Arc::clone(&desk), Arc::clone(&keys), issuer.as_str(), heartbeat)?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        tracing::info!(%issuer, kid = %keys.ring().active().kid(), position = %desk.standing().position, "open");
        let (stop, stopping) = watch::channel(false);
        let app = Arc::new(App {
            desk,
            keys,
            revocations: Arc::new(revocations),
            refresh_tokens: RefreshTokens::new(&secrets.master, issuer.as_str()),
            refresh_cookie: RefreshCookie::of(issuer.as_str()),
            passwords: Passwords::new(processors),
            admin_keys: secrets.admin_keys,
            issuer,
            audience: settings.addresses.audience,
            lifetimes: settings.lifetimes,
            allowed_origins: settings.addresses.allowed_origins,
            stopping,
        });
        Ok(Self { listener, app, stop })
    }

    /// What the handlers have at hand.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// `http://` and the address that is listened on.
    ///
    /// # Errors
    ///
    /// When the system does not know it.
    pub fn address(&self) -> io::Result<String> {
        Ok(format!("http://{}", self.listener.local_addr()?))
    }

    /// Serves every route and `besides` until `stop` resolves; then streams end, what is in flight finishes, and the
    /// store is closed.
    ///
    /// # Errors
    ///
    /// [`ServeError::Background`].
    pub async fn run(self, besides: Router, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self { listener, app, stop: announce } = self;
        // Before the first request: nobody finds an issuer without a list.
        app.revocations.publish().await;
        let mut background = background(&app);
        let mut stopping = app.stopping.clone();
        let router = http::router(Arc::clone(&app), besides);
        let serving = tokio::spawn(connections::serve(listener, router, async move {
            // An error means that the sender is gone, which stops as well.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        }));
        tokio::select! {
            () = stop => {}
            Some(ended) = background.join_next() => {
                let ended = ended.err().map_or_else(|| "it returned".to_owned(), |error| error.to_string());
                return Err(ServeError::Background(ended));
            }
        }
        tracing::info!("stopping");
        announce.send_replace(true);
        if tokio::time::timeout(STOP_LIMIT, serving).await.is_err() {
            tracing::warn!("requests were still in flight and are given up");
        }
        background.shutdown().await;
        Ok(())
    }
}

fn background(app: &App) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let desk = Arc::clone(&app.desk);
    tasks.spawn(async move { desk.tail().await });
    let desk = Arc::clone(&app.desk);
    tasks.spawn(async move { desk.heartbeats().await });
    let revocations = Arc::clone(&app.revocations);
    tasks.spawn(async move { revocations.run().await });
    tasks
}

async fn open_store(settings: &StoreSettings) -> Result<Arc<dyn Store>, ServeError> {
    let StoreSettings { store, prefix, ca_file, init } = settings.clone();
    match store {
        StoreUrl::Embedded(file) => {
            let presence = check_presence(&file, init)?;
            let path = file.clone();
            let opened = tokio::task::spawn_blocking(move || EmbeddedStore::open(&path)).await;
            let store = opened.map_err(|error| StoreError::Unavailable(error.to_string()))??;
            if presence == Presence::New {
                tracing::info!(store = %file.display(), "a new, empty store was made");
            }
            Ok(Arc::new(store))
        }
        StoreUrl::Redis(url) => {
            let read = |file: PathBuf| {
                std::fs::read(&file).map_err(|source| ServeError::Certificates { file, source })
            };
            let certificates = ca_file.map(read).transpose()?;
            Ok(Arc::new(RedisStore::open(url, prefix.unwrap_or_default(), certificates).await?))
        }
    }
}

/// Resolves at SIGTERM or SIGINT, from this call on and not only once it is waited for.
#[cfg(unix)]
pub fn signalled() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("the runtime handles signals");
    let mut interrupt = signal(SignalKind::interrupt()).expect("the runtime handles signals");
    async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

/// Resolves at Ctrl-C.
#[cfg(not(unix))]
pub async fn signalled() {
    tokio::signal::ctrl_c().await.expect("the runtime handles Ctrl-C");
}
