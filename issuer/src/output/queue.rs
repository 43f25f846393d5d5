//! A queue of lines for a file descriptor that may be slow, full or closed. Callers never wait and never fail.
//!
//! `tracing-appender` is similar, but has three faults. When a full queue is closed, its worker prints to standard
//! output, and panics if standard output is gone. Lines whose write failed are not counted. The limit applies to the
//! number of lines instead of the number of bytes.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::write_fully;

/// Largest number of bytes that can wait for the writer thread. A line that would exceed this number is dropped.
pub(super) const LIMIT: usize = 1 << 20;
/// Least time between two reports of lost lines while more lines wait in the queue.
const BETWEEN_REPORTS: Duration = Duration::from_secs(1);

/// The tasks that the writer thread has besides writing.
pub(super) trait Upkeep: Send + 'static {
    /// The time at which [`run`](Self::run) must be called next. `None` if there is nothing to run.
    fn due(&self) -> Option<Instant>;
    /// Runs the task. The task can add lines to the queue.
    fn run(&mut self, now: Instant);
    /// Reports how many lines were lost after the last report, and how many in total after the start. The writer thread
    /// calls this function when a write has succeeded again.
    fn lost(&mut self, since_last: u64, since_start: u64);
}

/// A queue with this type has no additional tasks and does not report lost lines.
impl Upkeep for () {
    fn due(&self) -> Option<Instant> {
        None
    }
    fn run(&mut self, _: Instant) {}
    fn lost(&mut self, _: u64, _: u64) {}
}

/// The sending end of the queue: callers add lines here.
#[derive(Clone)]
pub(super) struct Queue(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    limit: usize,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Box<[u8]>>,
    /// The number of bytes in `lines`.
    bytes: usize,
    /// The number of lost lines that are not yet reported.
    lost: u64,
    lost_since_start: u64,
    /// The writer thread. The limit on bytes does not apply to this thread, because it adds only reports.
    /// [`BETWEEN_REPORTS`] limits the reports of lost lines. Each window of repeated lines has at most one report.
    writer: Option<ThreadId>,
    closed: bool,
    finished: bool,
}

enum Next {
    Line(Box<[u8]>),
    /// [`Upkeep::run`] is due.
    Upkeep,
    /// The queue is closed and empty.
    End,
}

impl Queue {
    /// Starts the writer thread.
    pub(super) fn start(sink: impl Write + Send + 'static, upkeep: impl Upkeep, limit: usize) -> Self {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), limit });
        let its = Arc::clone(&shared);
        let begun = thread::Builder::new().name("output".to_owned()).spawn(move || its.write(sink, upkeep));
        if begun.is_err() {
            // The thread did not start, so drop and count all lines. The program reports in other places that it cannot
            // start threads.
            shared.state().finished = true;
        }
        Self(shared)
    }

    /// Adds one line, including its line end. If the queue has no room for the line, drops the line and counts it.
    pub(super) fn push(&self, line: &[u8]) {
        let mut state = self.0.state();
        let fits = state.bytes + line.len() <= self.0.limit;
        if state.finished || !(fits || state.writer == Some(thread::current().id())) {
            state.lose();
            return;
        }
        state.bytes += line.len();
        state.lines.push_back(line.into());
        drop(state);
        self.0.changed.notify_all();
    }

    /// The number of lines that were dropped or could not be written. The count begins when the process
    /// starts.
    pub(super) fn lost_since_start(&self) -> u64 {
        self.0.state().lost_since_start
    }

    /// Closes the queue. Waits until the writer thread has written all lines, but not longer than until `limit`.
    pub(super) fn close(&self, limit: Instant) {
        let limit = limit.saturating_duration_since(Instant::now());
        let mut state = self.0.state();
        state.closed = true;
        self.0.changed.notify_all();
        let waited = self.0.changed.wait_timeout_while(state, limit, |state| !state.finished);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl State {
    fn lose(&mut self) {
        self.lost += 1;
        self.lost_since_start += 1;
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, mut sink: impl Write, mut upkeep: impl Upkeep) {
        self.state().writer = Some(thread::current().id());
        let mut torn = false;
        let mut reported: Option<Instant> = None;
        loop {
            let next = self.next(upkeep.due());
            let now = Instant::now();
            if upkeep.due().is_some_and(|due| due <= now) {
                upkeep.run(now);
            }
            let line = match next {
                Next::Line(line) => line,
                Next::Upkeep => continue,
                Next::End => break,
            };
            let is_written = write_line(&mut sink, &line, &mut torn).is_ok();
            let mut state = self.state();
            if !is_written {
                state.lose();
                continue;
            }
            let has_time = state.lines.is_empty()
                || reported.is_none_or(|last| now.duration_since(last) >= BETWEEN_REPORTS);
            if state.lost > 0 && has_time {
                let (since_last, since_start) = (std::mem::take(&mut state.lost), state.lost_since_start);
                drop(state);
                reported = Some(now);
                upkeep.lost(since_last, since_start);
            }
        }
        self.state().finished = true;
        self.changed.notify_all();
    }

    /// Waits for the next task of the writer thread.
    fn next(&self, due: Option<Instant>) -> Next {
        let mut state = self.state();
        loop {
            if let Some(line) = state.lines.pop_front() {
                state.bytes -= line.len();
                return Next::Line(line);
            }
            if state.closed {
                return Next::End;
            }
            state = match due {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(due) => {
                    let left = due.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Next::Upkeep;
                    }
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

/// Writes one line. If `torn` is true, the previous write failed in the middle of a line. In this case, a line end is
/// written first.
fn write_line(sink: &mut impl Write, line: &[u8], torn: &mut bool) -> io::Result<()> {
    if *torn {
        write_fully(sink, b"\n").map_err(|(_, error)| error)?;
        *torn = false;
    }
    write_fully(sink, line).map_err(|(written, error)| {
        *torn = written > 0;
        error
    })
}
