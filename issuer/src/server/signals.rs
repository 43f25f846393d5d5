//! SIGTERM and SIGINT.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Receives SIGTERM and SIGINT. After [`Signals::install`] no signal is missed, even while [`Signals::next`] is not
/// awaited. Call `install` before everything else: process 1 of a container ignores signals that it has no handler for.
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
    /// The operating system's error.
    pub fn install() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Resolves when SIGTERM or SIGINT arrives, once for each signal.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Does nothing: there is no handler to install.
    ///
    /// # Errors
    ///
    /// Never.
    pub fn install() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Resolves at Ctrl-C. Never resolves if Ctrl-C cannot be received.
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
