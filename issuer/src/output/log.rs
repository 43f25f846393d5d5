//! The log output: events of `tracing` as lines on standard error. They go through a [`Queue`], and repeated lines
//! are left out.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io;
use std::panic::PanicHookInfo;
use std::time::Instant;

use tracing::Level;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, registry};

use super::queue::{Queue, Upkeep};
use super::repeats::{LeftOut, Repeats, WithoutRepeats};
use crate::config::{LogFormat, LogSettings};

/// The target of lines about the log output itself. The operator's filter does not hide them.
pub(super) const OWN: &str = "doorlist::output::log";

/// From now on, writes the process's events to the queue, with the filter and the format of the settings.
pub(super) fn install(settings: &LogSettings, queue: Queue, repeats: Repeats) {
    let own = format!("{OWN}=info").parse().expect("a directive");
    let filter = EnvFilter::builder().parse_lossy(&settings.filter).add_directive(own);
    // Errors in formatting a line would otherwise be written to standard error directly, past the queue.
    let lines = fmt::layer().with_target(false).log_internal_errors(false).with_writer(Lines(queue));
    let lines = match settings.format {
        LogFormat::Text => lines
            .with_ansi(false)
            .map_event_format(|inner| WithoutRepeats { inner, repeats: repeats.clone() })
            .boxed(),
        LogFormat::Json => {
            lines.json().map_event_format(|inner| WithoutRepeats { inner, repeats: repeats.clone() }).boxed()
        }
    };
    registry().with(filter).with(lines).init();
    std::panic::set_hook(Box::new(panicked));
}

/// Replaces the standard library's panic hook, which writes to standard error directly and would block if its reader
/// is stopped.
fn panicked(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let message = panic.payload_as_str().unwrap_or("a value that is not text");
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        tracing::error!(thread, place, %trace, "panicked: {message}");
    } else {
        tracing::error!(thread, place, "panicked: {message}");
    }
}

/// A writer for which each write is one line.
struct Lines(Queue);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl io::Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The writer thread's own lines about the log output.
pub(super) struct Reports(pub(super) Repeats);

impl Upkeep for Reports {
    fn due(&self) -> Option<Instant> {
        self.0.windows().due()
    }

    fn run(&mut self, now: Instant) {
        report(&self.0, now, false);
    }

    fn lost(&mut self, since_last: u64, since_start: u64) {
        tracing::warn!(
            since_last,
            since_start,
            "log lines were lost, because they could not be written in time"
        );
    }
}

/// Writes how many lines were left out in the windows that have ended. With `everything`, counts all windows.
pub(super) fn report(repeats: &Repeats, now: Instant, everything: bool) {
    let left_out = repeats.windows().take(now, everything);
    for LeftOut { level, lines, seconds, message } in left_out {
        match level {
            Level::ERROR => {
                tracing::error!("and {lines} more lines like this in the last {seconds} s: {message}")
            }
            Level::WARN => {
                tracing::warn!("and {lines} more lines like this in the last {seconds} s: {message}")
            }
            _ => tracing::info!("and {lines} more lines like this in the last {seconds} s: {message}"),
        }
    }
}
