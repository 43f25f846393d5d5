//! Opens one stream for each of many subscribers, and measures kicks that every subscriber must receive.

use std::io::BufRead;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::admin;
use crate::connection::{Connection, member};
use crate::spread::spread;

/// The number of subscribers that connect at the same time.
const AT_A_TIME: usize = 128;
/// The maximum time until a kick has reached all subscribers. A longer time is an error.
const PATIENCE: Duration = Duration::from_secs(30);

/// Prints `ready` when all subscribers have received an event. The kicks start when a line arrives on standard input.
/// The session of a subject is opened immediately before the subject is kicked.
pub async fn run(address: &str, key: &str, subscribers: usize, kicks: u64) -> Result<String> {
    let (heard, mut events) = mpsc::unbounded_channel();
    subscribe(address, subscribers, &heard).await?;
    println!("ready");
    tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().next())
        .await?
        .context("no start signal arrived")??;

    let mut operator = Connection::to(address).await?;
    let headers = admin::headers(key);
    let mut latencies = Vec::new();
    for number in 0..kicks {
        let body = format!(r#"{{"sub":"user-{number}"}}"#);
        operator.post("/admin/sessions", &headers, &body).await?;
        while events.try_recv().is_ok() {}
        let answer = operator.post(&admin::kick(number), &headers, "").await?;
        let acknowledged = Instant::now();
        let seq: u64 = member(&answer, "seq")?.parse()?;
        let mut missing = subscribers;
        while missing > 0 {
            let event = tokio::time::timeout(PATIENCE, events.recv()).await;
            let Event { seq: reached, at } = event
                .with_context(|| format!("{missing} subscribers did not hear of a kick"))?
                .context("all gone")?;
            if reached == seq {
                latencies.push(at.saturating_duration_since(acknowledged));
                missing -= 1;
            }
        }
    }
    Ok(format!(r#"{{"subscribers":{subscribers},"kicks":{kicks},{}}}"#, spread(latencies)))
}

/// An event that a subscriber has parsed.
struct Event {
    seq: u64,
    at: Instant,
}

/// Opens the streams. Returns when every stream is open and each stream is read by its own task.
async fn subscribe(address: &str, subscribers: usize, heard: &mpsc::UnboundedSender<Event>) -> Result<()> {
    let mut left = subscribers;
    while left > 0 {
        let mut opening = JoinSet::new();
        for _ in 0..left.min(AT_A_TIME) {
            let address = address.to_owned();
            opening.spawn(async move {
                let mut connection = Connection::to(&address).await?;
                connection.subscribe("/revocations/stream").await?;
                let mut line = Vec::new();
                next_event(&mut connection, &mut line).await?;
                anyhow::Ok(connection)
            });
            left -= 1;
        }
        while let Some(connection) = opening.join_next().await {
            let (connection, heard) = (connection??, heard.clone());
            tokio::spawn(async move {
                if let Err(error) = follow(connection, heard).await {
                    eprintln!("a subscriber was lost: {error:#}");
                }
            });
        }
    }
    Ok(())
}

/// Forwards every event with a new sequence number. A heartbeat repeats the last sequence number, so it is not
/// forwarded.
async fn follow(mut connection: Connection, heard: mpsc::UnboundedSender<Event>) -> Result<()> {
    let (mut line, mut last) = (Vec::new(), 0);
    loop {
        let seq = next_event(&mut connection, &mut line).await?;
        if seq > last && heard.send(Event { seq, at: Instant::now() }).is_err() {
            return Ok(());
        }
        last = seq;
    }
}

/// Waits for the next event, including its data. Returns the sequence number of the event.
async fn next_event(connection: &mut Connection, line: &mut Vec<u8>) -> Result<u64> {
    let mut seq = None;
    loop {
        connection.line(line).await?;
        let text = std::str::from_utf8(line)?.trim_end();
        if let Some(id) = text.strip_prefix("id: ").or_else(|| text.strip_prefix("id:")) {
            let (_, number) = id.split_once(':').context("an id that is no cursor")?;
            seq = Some(number.parse()?);
        } else if text.starts_with("data:") {
            match seq {
                Some(seq) => return Ok(seq),
                None => bail!("data before its id"),
            }
        }
    }
}
