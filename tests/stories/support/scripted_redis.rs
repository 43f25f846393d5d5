//! A server that answers `INFO` with a given text and everything else with `OK`.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server that answers `INFO` with a given text.
pub struct ScriptedRedis {
    port: u16,
    accepting: JoinHandle<()>,
}

impl ScriptedRedis {
    /// A server that answers `INFO` with this text.
    pub async fn with_info(info: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let info = format!("${}\r\n{info}\r\n", info.len());
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let info = info.clone();
                // The task ends with the connection.
                tokio::spawn(async move { answer(client, &info).await });
            }
        });
        Self { port, accepting }
    }

    /// `redis://…`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for ScriptedRedis {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer(client: TcpStream, info: &str) -> Option<()> {
    let mut client = BufReader::new(client);
    loop {
        let mut command = Vec::new();
        for _ in 0..number(&mut client, '*').await? {
            let mut part = vec![0; number(&mut client, '$').await? + 2];
            client.read_exact(&mut part).await.ok()?;
            part.truncate(part.len() - 2);
            command.push(part);
        }
        let answer = if command.first()?.eq_ignore_ascii_case(b"INFO") { info } else { "+OK\r\n" };
        client.write_all(answer.as_bytes()).await.ok()?;
    }
}

/// Reads a line that begins with the character `sign`, and returns the number after this character.
async fn number(client: &mut BufReader<TcpStream>, sign: char) -> Option<usize> {
    let mut line = String::new();
    client.read_line(&mut line).await.ok()?;
    line.strip_prefix(sign)?.trim_end().parse().ok()
}
