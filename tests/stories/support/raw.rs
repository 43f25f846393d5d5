//! Requests as raw bytes, including requests that no correct client library would send.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::eventually;

/// A parsed answer.
#[derive(Debug, Clone)]
pub struct RawReply {
    /// The status; `None` if the connection was closed without an answer.
    pub status: Option<u16>,
    /// Everything up to the empty line, in lower case.
    pub head: String,
    /// Everything after the empty line.
    pub body: Vec<u8>,
}

/// Sends bytes to a port of this host and reads until the other side closes the connection.
pub async fn exchange(port: u16, request: &[u8]) -> RawReply {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await.expect("the issuer listens");
    let (mut from, mut to) = connection.split();
    let mut answer = Vec::new();
    // If the server refuses a request, it may close the connection too early. Then the request cannot be sent
    // completely, or the answer cannot be read. The test ignores these errors.
    let write = async { to.write_all(request).await.is_ok() };
    let read = async { from.read_to_end(&mut answer).await.is_ok() };
    let _ =
        eventually("the issuer answers and closes the connection", async { tokio::join!(write, read) }).await;
    RawReply::of(&answer)
}

impl RawReply {
    fn of(answer: &[u8]) -> Self {
        let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            return Self { status: None, head: String::new(), body: Vec::new() };
        };
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Self { status, head, body: answer[end + 4..].to_vec() }
    }

    /// The `error` of a JSON body.
    pub fn error(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        Some(body["error"].as_str()?.to_owned())
    }
}
