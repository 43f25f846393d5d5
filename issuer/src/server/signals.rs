//! SIGTERM and SIGINT.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Receives SIGTERM and SIGINT. After [`Signals::install`], no signal is lost, even if [`Signals::next`] is awaited
/// later. Call `install` before everything else. Before that call, process 1 of a container ignores both signals.
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

    /// Waits for the next SIGTERM or SIGINT.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Does nothing, because there is no handler to install.
    ///
    /// # Errors
    ///
    /// This function never returns an error.
    pub fn install() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for Ctrl-C. If Ctrl-C cannot be received, waits for ever.
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
