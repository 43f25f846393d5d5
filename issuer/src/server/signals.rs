//! SIGTERM and SIGINT.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What asks the process to end, heeded from [`Signals::heed`] on and not only while [`Signals::next`] is waited for.
/// Process 1 of a container ignores signals that it has no handler for, so this comes before everything else.
pub struct Signals {
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    interrupt: Signal,
}

#[cfg(unix)]
impl Signals {
    /// Installs the handlers.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn heed() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Resolves at SIGTERM or SIGINT, once for each.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Nothing to install.
    ///
    /// # Errors
    ///
    /// Never.
    pub fn heed() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Resolves at Ctrl-C; never where that cannot be heard.
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
