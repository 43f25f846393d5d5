//! The only module that writes to standard output and standard error. A write may fail or block: the disk may be full,
//! or the reader of the pipe may be gone or stopped. If a line cannot be written, the line is lost and counted, and the
//! program continues.
//!
//! - [`Answer`] writes the output of a command at once. [`complain`] writes the reason why a command failed.
//! - [`Service`] writes the log output and the few other lines of a server. The server never waits for the reader of
//!   these lines.

mod log;
mod queue;
mod repeats;
mod service;
#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::thread;
use std::time::Duration;

pub use service::Service;

/// Pause before a write is tried again because a non-blocking descriptor has no room. A descriptor can become
/// non-blocking if this process shares the descriptor with another program.
const RETRY: Duration = Duration::from_millis(5);

/// The text that a command prints to standard output.
#[derive(Debug)]
pub struct Answer<W = io::Stdout> {
    sink: W,
    failure: Option<io::Error>,
}

impl Answer {
    /// An answer on standard output.
    pub fn new() -> Self {
        Self::to(io::stdout())
    }
}

impl Default for Answer {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Write> Answer<W> {
    fn to(sink: W) -> Self {
        Self { sink, failure: None }
    }

    /// Prints one line. After a failure it prints nothing.
    pub fn line(&mut self, line: impl Display) {
        self.text(&format!("{line}\n"));
    }

    /// Prints a text that contains its own line ends. After a failure it prints nothing.
    pub fn text(&mut self, text: &str) {
        if self.failure.is_none() {
            let written = write_fully(&mut self.sink, text.as_bytes()).map_err(|(_, error)| error);
            self.failure = written.and_then(|()| flush(&mut self.sink)).err();
        }
    }

    /// Whether a write has failed. Further lines would be lost, so the caller can stop early.
    pub fn is_over(&self) -> bool {
        self.failure.is_some()
    }

    /// The error that made the answer incomplete. `None` if the answer is complete. Also `None` if the reader closed
    /// the pipe, because such a reader may not need the rest.
    pub fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref().filter(|error| error.kind() != ErrorKind::BrokenPipe)
    }
}

/// Prints one line to standard error. If the write fails, the line is lost.
pub fn complain(reason: &dyn Display) {
    // If this write fails, the reason cannot be reported anywhere else.
    let _ = write_fully(&mut io::stderr(), format!("doorlist: {reason}\n").as_bytes());
}

/// Prints a text of clap, such as the text of `--help`. On a terminal, the text has colours. If the write fails, the
/// text is lost.
pub fn explain(help: &clap::Error, answer: &mut Answer) {
    use std::io::IsTerminal;
    if answer.sink.is_terminal() || help.use_stderr() {
        let _ = help.print();
    } else {
        answer.text(&help.render().to_string());
    }
}

/// Writes all bytes. If a write fails, returns the error and the number of bytes that were written.
fn write_fully(sink: &mut impl Write, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match sink.write(rest) {
            Ok(0) => return Err((bytes.len() - rest.len(), ErrorKind::WriteZero.into())),
            Ok(written) => rest = &rest[written..],
            Err(error) if is_passing(&error) => {}
            Err(error) => return Err((bytes.len() - rest.len(), error)),
        }
    }
    Ok(())
}

fn flush(sink: &mut impl Write) -> io::Result<()> {
    loop {
        match sink.flush() {
            Err(error) if is_passing(&error) => {}
            flushed => return flushed,
        }
    }
}

/// Whether a write with this error can be tried again. If the error says that a non-blocking descriptor has no room,
/// first waits for [`RETRY`].
fn is_passing(error: &io::Error) -> bool {
    if error.kind() == ErrorKind::WouldBlock {
        thread::sleep(RETRY);
    }
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
