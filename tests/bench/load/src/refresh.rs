//! Clients that refresh tokens as fast as the server answers. Each client has one connection and one session, and sends
//! its next refresh after the last answer.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::connection::{Connection, member};
use crate::spread::spread;

const HEADERS: &str = "content-type: application/x-www-form-urlencoded\r\n";

/// Runs one client for each line of `file`. At the beginning, a line is the refresh token of its client. At the end,
/// the line is the client's latest refresh token.
pub async fn run(
    address: &str,
    path: &str,
    client_id: &str,
    file: &Path,
    duration: Duration,
) -> Result<String> {
    let tokens = std::fs::read_to_string(file)?;
    let begin = Instant::now();
    let until = begin + duration;
    let mut clients = JoinSet::new();
    for token in tokens.lines() {
        let client = Client {
            connection: Connection::to(address).await?,
            path: path.into(),
            client_id: client_id.into(),
            token: token.into(),
        };
        clients.spawn(client.refresh_until(until));
    }
    let (mut last, mut took) = (String::new(), Vec::new());
    while let Some(client) = clients.join_next().await {
        let (token, durations) = client??;
        last.push_str(&token);
        last.push('\n');
        took.extend(durations);
    }
    let seconds = begin.elapsed().as_secs_f64();
    std::fs::write(file, last)?;
    let per_second = took.len() as f64 / seconds;
    Ok(format!(r#"{{"count":{},"per_second":{per_second:.1},{}}}"#, took.len(), spread(took)))
}

struct Client {
    connection: Connection,
    path: String,
    client_id: String,
    token: String,
}

impl Client {
    async fn refresh_until(mut self, until: Instant) -> Result<(String, Vec<Duration>)> {
        let mut took = Vec::new();
        while Instant::now() < until {
            let body =
                format!("grant_type=refresh_token&client_id={}&refresh_token={}", self.client_id, self.token);
            let begin = Instant::now();
            let answer = self.connection.post(&self.path, HEADERS, &body).await?;
            took.push(begin.elapsed());
            let next = member(&answer, "refresh_token")?;
            anyhow::ensure!(next != self.token, "the refresh token did not rotate");
            self.token = next.into();
        }
        Ok((self.token, took))
    }
}
