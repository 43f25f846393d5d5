//! Lines that repeat are left out and counted: how much is logged must not depend on how often a stranger asks.

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

/// How many lines a place in the code may write in one [`WINDOW`].
pub(super) const FIRST: u32 = 10;
/// Begins with the first line of a place in the code.
pub(super) const WINDOW: Duration = Duration::from_secs(10);
/// Bytes of a message that are quoted in the count of its repetitions.
const MAX_QUOTED: usize = 120;

/// What was left out of the log.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub level: Level,
    pub lines: u64,
    pub seconds: u64,
    /// The message of the first of them.
    pub message: String,
}

/// The windows that are open; the key is a place in the code, of which the program has a fixed number.
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

    /// Whether a line is written. `message` is asked for only when the line is the first to be left out.
    pub(super) fn admit(
        &mut self,
        place: K,
        level: Level,
        now: Instant,
        message: impl FnOnce() -> String,
    ) -> bool {
        let new = || Window { began: now, lines: 0, left_out: None };
        let window = self.0.entry(place).or_insert_with(new);
        // The count was not reported yet, because the writer thread waits for its reader: it is kept.
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

    /// When the next window ends.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.values().map(|window| window.began + WINDOW).min()
    }

    /// Removes the windows that have ended, all of them with `everything`, and answers what was left out in them.
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

/// The windows of the process.
#[derive(Debug, Clone)]
pub(super) struct Repeats(Arc<Mutex<Windows<Identifier>>>);

impl Repeats {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Windows::new())))
    }

    pub(super) fn windows(&self) -> MutexGuard<'_, Windows<Identifier>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Events of level INFO and above are limited. An operator who asks for DEBUG gets every line of it.
    fn admit(&self, event: &Event<'_>) -> bool {
        let of = event.metadata();
        if *of.level() > Level::INFO || of.target() == super::log::OWN {
            return true;
        }
        self.windows().admit(of.callsite(), *of.level(), Instant::now(), || message_of(event))
    }
}

/// Formats the events that are admitted, and nothing of the others: an empty line is not written. (A filter of a layer
/// that decides by event instead of by callsite panics in debug builds of `tracing-subscriber` 0.3.)
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
            // Ends when there is no more room.
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
