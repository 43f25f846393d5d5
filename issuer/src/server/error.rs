//! Why the issuer did not start, or stopped by itself.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::{Contradiction, LostStore, SecretsError};
use crate::installation::InstallationError;
use crate::keys::KeysError;
use crate::store::StoreError;

/// Why the issuer did not start, or stopped by itself; one sentence.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The signals that end the process cannot be heard.
    #[error("cannot handle SIGTERM and SIGINT: {0}")]
    Signals(#[source] io::Error),
    /// Settings contradict each other.
    #[error(transparent)]
    Settings(#[from] Contradiction),
    /// Secrets cannot be had.
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
    /// The store could not be opened for as long as the start may wait for it.
    #[error("{error}; waited {waited_secs} s for it, as --store-wait-secs (DOORLIST_STORE_WAIT_SECS) allows")]
    StoreAwaited {
        /// The last attempt's.
        error: StoreError,
        /// The limit.
        waited_secs: u64,
    },
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
    Address(#[source] io::Error),
    /// The socket accepts no connections any more, and will not again.
    #[error("the listening socket failed, so no request can arrive: {0}; start the issuer again")]
    Listener(#[source] io::Error),
    /// A background task ended.
    #[error("a background task ended unexpectedly: {0}")]
    Background(String),
}

impl ServeError {
    /// The store's error, where opening it again may succeed.
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
