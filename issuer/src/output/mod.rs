//! The only way to standard output and standard error. A write may fail or block: the disk is full, the reader of the
//! pipe is gone or stopped. A line that cannot be written is lost and counted, and changes nothing else.
//!
//! - [`Answer`]: what a command prints, written at once; [`complain`]: why it failed.
//! - [`Service`]: the log and the few lines of a server, which never waits for their reader.

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

/// Standard output of another program may be set to non-blocking and shared with this one.
const RETRY: Duration = Duration::from_millis(5);

/// What a command prints to standard output.
#[derive(Debug)]
pub struct Answer<W = io::Stdout> {
    sink: W,
    failure: Option<io::Error>,
}

impl Answer {
    /// To standard output.
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

    /// Prints one line; after a failure, nothing.
    pub fn line(&mut self, line: impl Display) {
        self.text(&format!("{line}\n"));
    }

    /// Prints a text that has its own line ends; after a failure, nothing.
    pub fn text(&mut self, text: &str) {
        if self.failure.is_none() {
            let written = write_fully(&mut self.sink, text.as_bytes()).map_err(|(_, error)| error);
            self.failure = written.and_then(|()| flush(&mut self.sink)).err();
        }
    }

    /// Whether more lines would be lost, so that a long answer need not go on.
    pub fn is_over(&self) -> bool {
        self.failure.is_some()
    }

    /// Why the answer is not complete, unless its reader wanted no more of it.
    pub fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref().filter(|error| error.kind() != ErrorKind::BrokenPipe)
    }
}

/// Prints one line to standard error, or loses it.
pub fn complain(reason: &dyn Display) {
    // Where this cannot be written either, nothing can.
    let _ = write_fully(&mut io::stderr(), format!("doorlist: {reason}\n").as_bytes());
}

/// Prints clap's answer to `--help` and the like in its colours, or loses it.
pub fn explain(help: &clap::Error, answer: &mut Answer) {
    use std::io::IsTerminal;
    if answer.sink.is_terminal() || help.use_stderr() {
        let _ = help.print();
    } else {
        answer.text(&help.render().to_string());
    }
}

/// Writes everything, or answers how many bytes were written and why no more.
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

/// Waits a little where the other end of a non-blocking descriptor has no room.
fn is_passing(error: &io::Error) -> bool {
    if error.kind() == ErrorKind::WouldBlock {
        thread::sleep(RETRY);
    }
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
