//! Sends many requests to the admin API, up to 64 at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Result;
use tokio::task::JoinSet;

use crate::connection::Connection;

const AT_A_TIME: usize = 64;

/// Opens one session for each of `count` subjects.
pub async fn sessions(address: &str, key: &str, first: u64, count: u64) -> Result<String> {
    each(address, key, first..first + count, |number| {
        ("/admin/sessions".into(), format!(r#"{{"sub":"user-{number}","client_id":"web"}}"#))
    })
    .await
}

/// Kicks `count` subjects.
pub async fn kicks(address: &str, key: &str, first: u64, count: u64) -> Result<String> {
    each(address, key, first..first + count, |number| (kick(number), String::new())).await
}

/// Returns the path of the request that kicks the subject with this number.
pub fn kick(number: u64) -> String {
    format!("/admin/subjects/user-{number}/revoke")
}

/// Returns the headers that the admin API requires.
pub fn headers(key: &str) -> String {
    format!("authorization: Bearer {key}\r\ncontent-type: application/json\r\n")
}

async fn each(
    address: &str,
    key: &str,
    numbers: std::ops::Range<u64>,
    request: fn(u64) -> (String, String),
) -> Result<String> {
    let begin = Instant::now();
    let count = numbers.end - numbers.start;
    let next = Arc::new(AtomicU64::new(numbers.start));
    let mut workers = JoinSet::new();
    for _ in 0..AT_A_TIME {
        let mut connection = Connection::to(address).await?;
        let (next, headers) = (Arc::clone(&next), headers(key));
        workers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= numbers.end {
                    return anyhow::Ok(());
                }
                let (path, body) = request(number);
                connection.post(&path, &headers, &body).await?;
            }
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    Ok(format!(r#"{{"count":{count},"per_second":{:.1}}}"#, count as f64 / begin.elapsed().as_secs_f64()))
}
