//! Leaves out and counts repeated lines. Otherwise strangers could make the log output large by sending many requests.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// How many lines one place in the code is allowed to write in one [`WINDOW`].
pub(super) const FIRST: u32 = 10;
/// The length of a window. A window begins with the first line from one place in the code.
pub(super) const WINDOW: Duration = Duration::from_secs(10);
/// How many bytes of a message are quoted in the report about its repetitions.
const MAX_QUOTED: usize = 120;

/// A report on the lines that were left out. All these lines come from one place in the code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub level: Level,
    pub lines: u64,
    pub seconds: u64,
    /// The message of the first line that was left out.
    pub message: String,
}

/// The open windows, one for each place in the code that wrote a line. The number of such places is fixed in a program,
/// so the map stays small.
#[derive(Debug)]
pub(super) struct Windows<K>(HashMap<K, Window>);

#[derive(Debug)]
struct Window {
    began: Instant,
    lines: u32,
    left_out: Option<(Instant, LeftOut)>,
}

impl<K: Eq + std::hash::Hash> Windows<K> {
    pub(super) fn new() -> Self {
        Self(HashMap::new())
    }

    /// Decides whether a line is written. Calls `message` only for the first line that is left out.
    pub(super) fn admit(
        &mut self,
        place: K,
        level: Level,
        now: Instant,
        message: impl FnOnce() -> String,
    ) -> bool {
        let new = || Window { began: now, lines: 0, left_out: None };
        let window = self.0.entry(place).or_insert_with(new);
        // The window of this line has ended, but the writer thread has not reported the window, because the reader of
        // standard error is slow. Begin the next window, and keep the count of lines that were left out.
        if now.saturating_duration_since(window.began) >= WINDOW {
            (window.began, window.lines) = (now, 0);
        }
        window.lines = window.lines.saturating_add(1);
        if window.lines <= FIRST {
            return true;
        }
        let first = || (now, LeftOut { level, lines: 0, seconds: 0, message: message() });
        window.left_out.get_or_insert_with(first).1.lines += 1;
        false
    }

    /// The time at which the next window ends.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.values().map(|window| window.began + WINDOW).min()
    }

    /// Removes the windows that have ended, or all windows if `everything` is true. Returns the lines that were left
    /// out in the removed windows.
    pub(super) fn take(&mut self, now: Instant, everything: bool) -> Vec<LeftOut> {
        let is_over = |window: &Window| everything || window.began + WINDOW <= now;
        let ended = self.0.extract_if(|_, window| is_over(window));
        let left_out = ended.filter_map(|(_, window)| window.left_out);
        left_out
            .map(|(since, left_out)| LeftOut {
                seconds: now.saturating_duration_since(since).as_secs().max(1),
                ..left_out
            })
            .collect()
    }
}

/// All windows of the process.
#[derive(Debug, Clone)]
pub(super) struct Repeats(Arc<Mutex<Windows<Identifier>>>);

impl Repeats {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Windows::new())))
    }

    pub(super) fn windows(&self) -> MutexGuard<'_, Windows<Identifier>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Limits events of level INFO and above. DEBUG and TRACE are not limited: an operator who asks for them gets
    /// every line.
    fn admit(&self, event: &Event<'_>) -> bool {
        let of = event.metadata();
        if *of.level() > Level::INFO || of.target() == super::log::OWN {
            return true;
        }
        self.windows().admit(of.callsite(), *of.level(), Instant::now(), || message_of(event))
    }
}

/// Formats only admitted events. If an event is not admitted, nothing is formatted, and the layer writes no line. A
/// filter on the layer could not do this: debug builds of `tracing-subscriber` 0.3 panic if a filter decides by event
/// instead of by callsite.
pub(super) struct WithoutRepeats<F> {
    pub inner: F,
    pub repeats: Repeats,
}

impl<S, N, F> FormatEvent<S, N> for WithoutRepeats<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if self.repeats.admit(event) { self.inner.format_event(context, line, event) } else { Ok(()) }
    }
}

fn message_of(event: &Event<'_>) -> String {
    let mut message = Message::default();
    event.record(&mut message);
    message.0
}

/// The beginning of an event's message.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // `write!` fails if the message is longer than the limit. The rest of the message is then left out.
            let _ = write!(self, "{value:?}");
        }
    }
}

impl fmt::Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.0.len() + character.len_utf8() > MAX_QUOTED {
                return Err(fmt::Error);
            }
            self.0.push(character);
        }
        Ok(())
    }
}
