//! What `serve` and `demo` write: the log, one line that says where they listen, and why they ended.

use std::fmt::Display;
use std::io;
use std::time::{Duration, Instant};

use super::log::{self, Reports};
use super::queue::{LIMIT, Queue};
use super::repeats::Repeats;
use crate::config::LogSettings;

/// At the end, for a reader of the last lines.
const FLUSH: Duration = Duration::from_secs(1);

/// The output of a running server. Dropped, it writes what waits, for at most a second.
pub struct Service {
    stdout: Queue,
    stderr: Queue,
    repeats: Repeats,
}

impl Service {
    /// Sends every event of the process to standard error from here on. Once a process.
    pub fn start(settings: &LogSettings) -> Self {
        let repeats = Repeats::new();
        let stdout = Queue::start(io::stdout(), (), LIMIT);
        let stderr = Queue::start(io::stderr(), Reports(repeats.clone()), LIMIT);
        log::install(settings, stderr.clone(), repeats.clone());
        Self { stdout, stderr, repeats }
    }

    /// One line to standard output.
    pub fn announce(&self, line: impl Display) {
        self.stdout.push(format!("{line}\n").as_bytes());
    }

    /// Writes one line to standard error; the log filter does not apply to it.
    pub fn complain(&self, reason: &dyn Display) {
        self.stderr.push(format!("doorlist: {reason}\n").as_bytes());
    }

    /// How many lines of the log were lost since the start, because they could not be written in time.
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
