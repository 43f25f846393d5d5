//! A persistent connection that handles one request at a time.

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A persistent connection to a server.
pub struct Connection {
    stream: TcpStream,
    address: String,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects to this address.
    pub async fn to(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, address: address.into(), buffer: Vec::with_capacity(4096) })
    }

    /// Sends a `POST` request and returns the body of the answer. The answer must state the length of its body.
    pub async fn post(&mut self, path: &str, headers: &str, body: &str) -> Result<String> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\n{headers}content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        let head = self.head().await?;
        let length: usize =
            header(&head, "content-length").context("an answer of unknown length")?.parse()?;
        while self.buffer.len() < length {
            self.read().await?;
        }
        let body = String::from_utf8(self.buffer.drain(..length).collect())?;
        if !head.starts_with("http/1.1 2") {
            bail!("{path} was answered: {head}\n{body}");
        }
        Ok(body)
    }

    /// Opens a stream. Use [`Self::line`] to read its lines.
    pub async fn subscribe(&mut self, path: &str) -> Result<()> {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: {}\r\naccept: text/event-stream\r\n\r\n", self.address);
        self.stream.write_all(request.as_bytes()).await?;
        let head = self.head().await?;
        if !head.starts_with("http/1.1 200") {
            bail!("{path} was answered: {head}");
        }
        Ok(())
    }

    /// Reads the next line of a stream. The sizes of HTTP chunks are also returned as lines.
    pub async fn line(&mut self, line: &mut Vec<u8>) -> Result<()> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                line.clear();
                line.extend(self.buffer.drain(..=end));
                return Ok(());
            }
            self.read().await?;
        }
    }

    /// Returns the status line and the headers of an answer, in lower case.
    async fn head(&mut self) -> Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
                return Ok(String::from_utf8(head)?.to_lowercase());
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("{} closed the connection", self.address);
        }
        Ok(())
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Returns the member with this name from flat JSON, as text. The member must be a string or a number, in the form that
/// the measured servers write.
pub fn member<'a>(json: &'a str, name: &str) -> Result<&'a str> {
    let (_, rest) = json
        .split_once(&format!("\"{name}\":"))
        .with_context(|| format!("an answer without {name}: {json}"))?;
    let rest = rest.trim_start();
    let end = match rest.strip_prefix('"') {
        Some(text) => return Ok(text.split('"').next().unwrap_or(text)),
        None => rest.find([',', '}']).unwrap_or(rest.len()),
    };
    Ok(rest[..end].trim())
}
