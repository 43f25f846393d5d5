//! Errors of the start and of the running server.

use std::io;
use std::net::SocketAddr;

use crate::config::{Contradiction, LostStore, SecretsError};
use crate::installation::InstallationError;
use crate::keys::KeysError;
use crate::store::StoreError;

/// The reason why the issuer did not start, or why it ended without a signal. The message is one sentence.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The handlers for SIGTERM, SIGINT and SIGHUP cannot be installed.
    #[error("cannot handle SIGTERM, SIGINT and SIGHUP: {0}")]
    Signals(#[source] io::Error),
    /// Two settings contradict each other.
    #[error(transparent)]
    Settings(#[from] Contradiction),
    /// A secret is missing or cannot be used.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// See [`InstallationError`].
    #[error(transparent)]
    Installation(#[from] InstallationError),
    /// See [`LostStore`].
    #[error(transparent)]
    LostStore(#[from] LostStore),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store was still unavailable at the end of the time for which the start waits.
    #[error("{error}; waited {waited_secs} s for the store (--store-wait-secs, DOORLIST_STORE_WAIT_SECS)")]
    StoreAwaited {
        /// The error of the last attempt.
        error: StoreError,
        /// The time for which the start waited, in seconds.
        waited_secs: u64,
    },
    /// The key ring cannot be read.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {source}; choose another address with --listen (DOORLIST_LISTEN)")]
    Listen {
        /// The value of `--listen`.
        address: SocketAddr,
        /// The operating system's error.
        source: io::Error,
    },
    /// The verifier refuses the issuer's name or the issuer's keys.
    #[error("the first revocation list cannot be signed: {0}")]
    List(#[from] doorlist_verifier::Error),
    /// The operating system does not report the address of the socket.
    #[error("cannot read the address of the listening socket: {0}")]
    Address(#[source] io::Error),
    /// The listening socket can never accept a connection again.
    #[error("the listening socket failed, so no request can arrive: {0}; start the issuer again")]
    Listener(#[source] io::Error),
    /// A background task ended although it should run until the process stops.
    #[error("a background task ended unexpectedly: {0}")]
    Background(String),
}

impl ServeError {
    /// Returns the store's error if another attempt to open the store can succeed.
    pub(super) fn outage(&self) -> Option<&StoreError> {
        let (Self::Store(error)
        | Self::Installation(InstallationError::Store(error))
        | Self::Keys(KeysError::Store(error))) = self
        else {
            return None;
        };
        error.may_pass().then_some(error)
    }
}
