//! SIGTERM, SIGINT and SIGHUP.

use std::future::pending;
use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What SIGHUP means for the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtHangup {
    /// The process reads secrets again. For a service.
    ReadAgain,
    /// The process ends. For a program that runs in a terminal, and whose terminal was closed.
    End,
}

/// Receives SIGTERM, SIGINT and SIGHUP. After [`Signals::install`], no signal is lost, even if [`Signals::next`] is
/// awaited later. Call `install` before everything else. Before that call, SIGHUP ends the process, and process 1 of a
/// container ignores all three signals.
pub struct Signals {
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    hangup: Option<Signal>,
    at_hangup: AtHangup,
}

/// Receives SIGHUP, if SIGHUP means that secrets are read again.
pub struct Hangups {
    #[cfg(unix)]
    hangup: Option<Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Installs the handlers.
    ///
    /// # Errors
    ///
    /// The operating system's error.
    pub fn install(at_hangup: AtHangup) -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: Some(signal(SignalKind::hangup())?),
            at_hangup,
        })
    }

    /// Waits for the next signal that ends the process.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = received(&mut self.hangup), if self.at_hangup == AtHangup::End => {}
        }
    }

    /// The signals after which secrets are read again. Signals that came before this call are included.
    pub(super) fn hangups(&mut self) -> Hangups {
        let hangup = match self.at_hangup {
            AtHangup::ReadAgain => self.hangup.take(),
            AtHangup::End => None,
        };
        Hangups { hangup }
    }
}

#[cfg(unix)]
impl Hangups {
    /// Waits for the next SIGHUP.
    pub(super) async fn next(&mut self) {
        received(&mut self.hangup).await;
    }
}

/// Waits for the signal. Waits for ever if there is no handler for it.
#[cfg(unix)]
async fn received(signal: &mut Option<Signal>) {
    let Some(signal) = signal else { return pending().await };
    if signal.recv().await.is_none() {
        pending().await
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Does nothing, because there is no handler to install.
    ///
    /// # Errors
    ///
    /// This function never returns an error.
    pub fn install(at_hangup: AtHangup) -> io::Result<Self> {
        Ok(Self { at_hangup })
    }

    /// Waits for Ctrl-C. If Ctrl-C cannot be received, waits for ever.
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            pending().await
        }
    }

    /// No signal: this system has no SIGHUP.
    pub(super) fn hangups(&mut self) -> Hangups {
        Hangups {}
    }
}

#[cfg(not(unix))]
impl Hangups {
    /// Waits for ever.
    pub(super) async fn next(&mut self) {
        pending().await
    }
}
