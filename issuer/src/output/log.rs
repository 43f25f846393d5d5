//! The log output: writes the events of `tracing` as lines to standard error. The lines go through a [`Queue`].
//! Repeated lines are left out.

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

/// The target of events that concern the log output itself. The operator's filter does not hide these events.
pub(super) const OWN: &str = "doorlist::output::log";

/// Writes all further events of the process to the queue. The settings give the filter and the format.
pub(super) fn install(settings: &LogSettings, queue: Queue, repeats: Repeats) {
    let own = format!("{OWN}=info").parse().expect("a directive");
    let filter = EnvFilter::builder().parse_lossy(&settings.filter).add_directive(own);
    // If an event cannot be formatted, the layer must not report the error. The report would go directly to standard
    // error, past the queue.
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

/// Replaces the panic hook of the standard library. That hook writes directly to standard error. It would block if the
/// reader of standard error is stopped.
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

/// A writer that adds each write to the queue as one line.
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

/// Tasks of the writer thread: they write lines about the log output itself.
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

/// For each window that has ended, writes how many lines were left out. If `everything` is true, includes the windows
/// that have not ended.
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
