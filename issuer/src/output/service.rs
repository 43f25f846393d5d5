//! The output of `serve` and `demo`: the log output, one line with the address, and the reason if the server ended with
//! an error.

use std::fmt::Display;
use std::io;
use std::time::{Duration, Instant};

use super::log::{self, Reports};
use super::queue::{LIMIT, Queue};
use super::repeats::Repeats;
use crate::config::LogSettings;

/// At the end, the process waits at most this long until the last lines are written.
const FLUSH: Duration = Duration::from_secs(1);

/// The output of a running server. When it is dropped, it waits at most one second until the
/// remaining lines are written.
pub struct Service {
    stdout: Queue,
    stderr: Queue,
    repeats: Repeats,
}

impl Service {
    /// Sends all further events of the process to standard error. Call this function only once in a process.
    pub fn start(settings: &LogSettings) -> Self {
        let repeats = Repeats::new();
        let stdout = Queue::start(io::stdout(), (), LIMIT);
        let stderr = Queue::start(io::stderr(), Reports(repeats.clone()), LIMIT);
        log::install(settings, stderr.clone(), repeats.clone());
        Self { stdout, stderr, repeats }
    }

    /// Writes one line to standard output.
    pub fn announce(&self, line: impl Display) {
        self.stdout.push(format!("{line}\n").as_bytes());
    }

    /// Writes one line to standard error. The log filter does not apply to this line.
    pub fn complain(&self, reason: &dyn Display) {
        self.stderr.push(format!("doorlist: {reason}\n").as_bytes());
    }

    /// The number of lines that the log output has lost because they could not be written in time. The count begins
    /// when the process starts.
    pub fn lost_lines(&self) -> u64 {
        self.stderr.lost_since_start()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let now = Instant::now();
        log::report(&self.repeats, now, true);
        self.stderr.close(now + FLUSH);
        self.stdout.close(now + FLUSH);
    }
}
