//! HTTP that no honest client sends. Each request gets a named answer or a closed connection. Afterwards the issuer
//! lives, has the same open files and about the same memory, and its log output has no control characters.

mod framing;
mod pressure;
mod targets;

use std::fs;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Issuer, eventually, resident};

/// The head of a request that an attacker hides in or behind another request. It is for a path that does not exist, so
/// an issuer that reads it as a request of its own answers 404.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: issuer\r\nConnection: close\r\n\r\n";

/// Bytes for one connection, and the answers that are allowed.
struct Case {
    name: String,
    bytes: Vec<u8>,
    allowed: Allowed,
}

#[derive(Debug, Clone, Copy)]
enum Allowed {
    /// At most one answer, which is a refusal. Then the connection closes, so no byte behind the request is read as
    /// another request.
    Refusal,
    /// At most one answer of any kind except a server error.
    OneAnswer,
    /// Any number of answers except server errors, but none to [`HIDDEN`].
    NotHidden,
    /// Exactly these answers.
    Exactly(&'static [u16]),
}

/// Sends bytes and returns everything that comes back until the issuer closes the connection.
async fn sent(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await.expect("the issuer listens");
    let (mut from, mut to) = connection.split();
    let mut answer = Vec::new();
    // A server that refuses a request may close the connection before it has read all of the request.
    let write = async { to.write_all(bytes).await.is_ok() };
    let read = async { from.read_to_end(&mut answer).await.is_ok() };
    let name = format!(
        "an end of the connection after {:?}",
        String::from_utf8_lossy(&bytes[..bytes.len().min(200)])
    );
    eventually(&name, async { tokio::join!(write, read) }).await;
    answer
}

/// The statuses of all answers, or the bytes that are no answer.
fn statuses(mut bytes: &[u8]) -> Result<Vec<u16>, String> {
    let mut statuses = Vec::new();
    while !bytes.is_empty() {
        let no_answer = || format!("no answer behind {statuses:?}: {:?}", String::from_utf8_lossy(bytes));
        let end = position(bytes, b"\r\n\r\n").ok_or_else(no_answer)?;
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let status = head.strip_prefix("http/1.1 ").or(head.strip_prefix("http/1.0 "));
        let status: u16 = status.and_then(|rest| rest.get(..3)?.parse().ok()).ok_or_else(no_answer)?;
        let body = &bytes[end + 4..];
        let length = match head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
            Some(length) => length.parse().map_err(|_| no_answer())?,
            None if head.contains("transfer-encoding: chunked") => {
                position(body, b"0\r\n\r\n").ok_or_else(no_answer)? + 5
            }
            None => 0,
        };
        bytes = body.get(length..).ok_or_else(no_answer)?;
        // "100 Continue" is no answer yet.
        if status != 100 {
            statuses.push(status);
        }
    }
    Ok(statuses)
}

fn position(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

fn flaw(case: &Case, answer: &[u8]) -> Option<String> {
    let statuses = match statuses(answer) {
        Ok(statuses) => statuses,
        Err(flaw) => return Some(format!("{}: {flaw}", case.name)),
    };
    let is_ours = |status: &u16| *status < 500 || *status == 505;
    let refusals = statuses.iter().all(|status| *status == 505 || (400..500).contains(status));
    let is_allowed = statuses.iter().all(is_ours)
        && match case.allowed {
            Allowed::Refusal => statuses.len() <= 1 && refusals,
            Allowed::OneAnswer => statuses.len() <= 1,
            Allowed::NotHidden => !statuses.contains(&404),
            Allowed::Exactly(wanted) => statuses == wanted,
        };
    (!is_allowed).then(|| format!("{}: {statuses:?}, allowed: {:?}", case.name, case.allowed))
}

/// Runs each case on a connection of its own.
async fn run(issuer: &Issuer, cases: Vec<Case>) {
    let mut flaws = Vec::new();
    for case in &cases {
        flaws.extend(flaw(case, &sent(issuer.port(), &case.bytes).await));
    }
    assert!(flaws.is_empty(), "{} of {} cases:\n{}", flaws.len(), cases.len(), flaws.join("\n"));
}

/// What a process holds while it is idle.
struct Idle {
    open_files: usize,
    resident: u64,
}

/// A batch may leave this many bytes behind: memory that the allocator keeps for the next requests.
const KEPT: u64 = 32 << 20;

impl Idle {
    fn of(issuer: &Issuer) -> Self {
        let open_files =
            fs::read_dir(format!("/proc/{}/fd", issuer.id())).expect("the process lives").count();
        Self { open_files, resident: resident(issuer.id()) }
    }

    /// Asserts that the issuer is as it was, and that its log output is clean.
    async fn is_restored(&self, issuer: &mut Issuer) {
        assert!(issuer.is_alive(), "{}", issuer.log());
        assert_eq!(issuer.get("/healthz").await.status, 200);
        issuer.until_ready().await;
        eventually("the files and the memory of the connections are free again", async {
            loop {
                let now = Self::of(issuer);
                if now.open_files <= self.open_files && now.resident <= self.resident + KEPT {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        let log = issuer.log();
        assert!(!log.contains("panicked"), "{log}");
        let raw = log
            .lines()
            .find(|line| line.chars().any(|character| character.is_control() && character != '\t'));
        assert_eq!(raw, None, "a control character in the log output");
    }
}
