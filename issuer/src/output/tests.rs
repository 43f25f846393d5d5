//! Tests with writers that fail, block or recover, and tests of the windows for repeated lines.

use std::io::{self, ErrorKind, Write};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracing::Level;

use super::Answer;
use super::queue::{Queue, Upkeep};
use super::repeats::{FIRST, LeftOut, WINDOW, Windows};

/// A writer that waits at each write until the test lets the write succeed or fail.
struct Gated {
    allowed: Receiver<io::Result<()>>,
    written: Arc<Mutex<String>>,
}

fn gated() -> (Gated, SyncSender<io::Result<()>>, Arc<Mutex<String>>) {
    let (allow, allowed) = sync_channel(64);
    let written = Arc::default();
    (Gated { allowed, written: Arc::clone(&written) }, allow, written)
}

impl Write for Gated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.allowed.recv().unwrap_or(Ok(()))?;
        self.written.lock().expect("no panic").push_str(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends the reported counts to the test.
struct Losses(std::sync::mpsc::Sender<(u64, u64)>);

impl Upkeep for Losses {
    fn due(&self) -> Option<Instant> {
        None
    }
    fn run(&mut self, _: Instant) {}
    fn lost(&mut self, since_last: u64, since_start: u64) {
        self.0.send((since_last, since_start)).expect("the test receives the counts");
    }
}

const LONG: Duration = Duration::from_secs(30);

#[test]
fn b1_if_the_reader_does_not_read_lines_are_lost_without_delay_and_counted() {
    let (sink, allow, written) = gated();
    let (losses, heard) = channel();
    let queue = Queue::start(sink, Losses(losses), 64);
    // The writer thread holds at most one line, and four lines wait in the queue. The queue has no room for more lines.
    for number in 0..20 {
        queue.push(format!("line number {number:03}\n").as_bytes());
    }
    let lost = queue.lost_since_start();
    assert!((15..=16).contains(&lost), "{lost}");
    drop(allow);
    assert_eq!(heard.recv_timeout(LONG), Ok((lost, lost)));
    queue.push(b"the last\n");
    queue.close(Instant::now() + LONG);
    let written = written.lock().expect("no panic");
    assert!(written.starts_with("line number 000\n") && written.ends_with("the last\n"), "{written}");
    assert_eq!(queue.lost_since_start(), lost);
}

#[test]
fn b1_a_failed_write_loses_one_line_and_the_next_line_is_written() {
    let (sink, allow, written) = gated();
    let (losses, heard) = channel();
    let queue = Queue::start(sink, Losses(losses), 1024);
    for kind in [ErrorKind::StorageFull, ErrorKind::BrokenPipe] {
        allow.send(Err(kind.into())).expect("the writer thread waits for permission");
        queue.push(b"lost\n");
    }
    drop(allow);
    queue.push(b"kept\n");
    assert_eq!(heard.recv_timeout(LONG), Ok((2, 2)));
    queue.close(Instant::now() + LONG);
    assert_eq!(*written.lock().expect("no panic"), "kept\n");
}

/// A full pipe whose reader is stopped does not delay the end of the process.
#[test]
fn b1_closing_gives_up_if_the_reader_does_not_read() {
    let (sink, allow, written) = gated();
    let queue = Queue::start(sink, (), 1024);
    queue.push(b"never read\n");
    queue.close(Instant::now() + Duration::from_millis(20));
    assert_eq!(*written.lock().expect("no panic"), "");
    drop(allow);
}

/// A writer with a given result for each call: the number of bytes to accept, or an error. After these calls, the
/// writer accepts everything.
struct Torn {
    calls: Vec<io::Result<usize>>,
    written: Arc<Mutex<String>>,
}

impl Write for Torn {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = if self.calls.is_empty() { bytes.len() } else { self.calls.remove(0)? };
        let taken = &bytes[..most.min(bytes.len())];
        self.written.lock().expect("no panic").push_str(&String::from_utf8_lossy(taken));
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn b1_a_line_that_was_cut_off_does_not_swallow_the_next() {
    let written = Arc::<Mutex<String>>::default();
    let calls = vec![Ok(3), Err(ErrorKind::StorageFull.into())];
    let queue = Queue::start(Torn { calls, written: Arc::clone(&written) }, (), 1024);
    queue.push(b"first\n");
    queue.push(b"second\n");
    queue.close(Instant::now() + LONG);
    assert_eq!(*written.lock().expect("no panic"), "fir\nsecond\n");
    assert_eq!(queue.lost_since_start(), 1);
}

/// A write may fail for a short time: another program may have set standard output to non-blocking, or a signal may
/// interrupt the write.
#[test]
fn b1_an_answer_waits_for_a_slow_reader() {
    let written = Arc::<Mutex<String>>::default();
    let calls = vec![Ok(2), Err(ErrorKind::WouldBlock.into()), Err(ErrorKind::Interrupted.into()), Ok(1)];
    let mut answer = Answer::to(Torn { calls, written: Arc::clone(&written) });
    answer.line("alice is kicked");
    assert!(!answer.is_over());
    assert_eq!(*written.lock().expect("no panic"), "alice is kicked\n");
}

#[test]
fn b1_a_closed_reader_is_not_a_failure_but_a_full_disk_is() {
    for (kind, is_failure) in [(ErrorKind::BrokenPipe, false), (ErrorKind::StorageFull, true)] {
        let mut answer = Answer::to(Torn { calls: vec![Err(kind.into())], written: Arc::default() });
        answer.line("lost");
        answer.line("not tried");
        assert!(answer.is_over());
        assert_eq!(answer.failure().is_some(), is_failure, "{kind}");
    }
}

#[test]
fn b14_the_first_lines_of_a_log_statement_are_written_and_the_others_counted() {
    let mut windows = Windows::new();
    let begin = Instant::now();
    let mut admit = |place, now| windows.admit(place, Level::WARN, now, || "answered".to_owned());
    let admitted = (0..1000).filter(|_| admit("a", begin)).count();
    assert_eq!(admitted, FIRST as usize);
    assert!(admit("b", begin), "another place has its own window");
    assert_eq!(windows.due(), Some(begin + WINDOW));
    assert_eq!(windows.take(begin + WINDOW / 2, false), []);
    let left_out = LeftOut {
        level: Level::WARN,
        lines: 1000 - u64::from(FIRST),
        seconds: 10,
        message: "answered".into(),
    };
    assert_eq!(windows.take(begin + WINDOW, false), [left_out]);
    assert_eq!(windows.due(), None, "a window that has ended is removed");
}

/// While the writer thread waits for the reader of its output, the thread reports no windows. Here two windows pass
/// before a report.
#[test]
fn b14_an_unreported_count_is_kept() {
    let mut windows = Windows::new();
    let begin = Instant::now();
    let mut admit = |now| windows.admit("a", Level::INFO, now, || "again".to_owned());
    let first = (0..30).filter(|_| admit(begin)).count();
    let second = (0..30).filter(|_| admit(begin + WINDOW)).count();
    assert_eq!((first, second), (FIRST as usize, FIRST as usize));
    let counted: Vec<_> = windows.take(begin + WINDOW, true).iter().map(|left| left.lines).collect();
    assert_eq!(counted, [60 - 2 * u64::from(FIRST)]);
}

/// Clippy's lints find macros that write, such as `println!`. This test also finds other code that writes to the
/// standard streams.
#[test]
fn b1_only_this_module_writes_to_the_standard_streams() {
    let ways =
        ["println!", "print!(", "eprint!(", "io::stdout", "io::stderr", "stdout()", "stderr()", "dbg!"];
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![source.clone()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let is_for_tests =
                path.components().any(|part| part.as_os_str() == "testing" || part.as_os_str() == "tests");
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs")
                && !path.starts_with(source.join("output"))
                && path != source.join("output.rs")
                && !is_for_tests
            {
                files += 1;
                let text = std::fs::read_to_string(&path).expect("text");
                let found: Vec<_> = ways.iter().filter(|way| text.contains(**way)).collect();
                assert!(found.is_empty(), "{}: {found:?}", path.display());
            }
        }
    }
    assert!(files > 50, "{files} files were looked at");
}
