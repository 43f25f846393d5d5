//! The amount of log output does not depend on how many requests a stranger sends.

use std::time::Instant;

use futures_util::future::join_all;
use reqwest::Method;

use crate::support::{Issuer, RedisServer, exchange, send};

const REQUESTS: usize = 2_000;
/// In ten seconds, each log statement in the code writes at most ten lines, and one more line with the number of lines
/// that were left out. Without this limit, each request would add 400 bytes.
const MOST_BYTES_IN_10_SECS: u64 = 12 << 10;

/// Returns the number in a line such as "and 1234 more lines like this in the last 10 s: answered".
fn left_out(line: &str, message: &str) -> Option<usize> {
    let (before, after) = line.split_once(" more lines like this")?;
    if !after.ends_with(&format!(": {message}")) {
        return None;
    }
    before.rsplit(' ').next()?.parse().ok()
}

#[tokio::test]
async fn b14_a_flood_of_requests_writes_few_log_lines_and_a_count() {
    let mut redis = RedisServer::start(&[]);
    let store = redis.url();
    let mut issuer = Issuer::start_with(&[("STORE", &store), ("LOG", "info")]).await;
    let session = issuer.open_session("alice").await;
    redis.kill();
    let (before, begin) = (issuer.log().len(), Instant::now());

    for _ in 0..REQUESTS / 50 {
        let refreshes = (0..50).map(|_| issuer.refresh(&session.refresh));
        for reply in join_all(refreshes).await {
            assert_eq!(reply.status, 503, "{}", reply.text());
        }
        let malformed = [
            exchange(issuer.port(), b"\x16\x03\x01 no HTTP\r\n\r\n"),
            exchange(
                issuer.port(),
                b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\n{",
            ),
            exchange(issuer.port(), b"GET /admin/subjects HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        ];
        join_all(malformed).await;
        let wrong_key = issuer.request(Method::GET, "/admin/keys").bearer_auth("a-wrong-key");
        send(wrong_key).await.refused(401, "invalid_token");
    }
    assert_eq!(issuer.stop().await.code(), Some(0));

    let log = issuer.log()[before..].to_owned();
    let most = (1 + begin.elapsed().as_secs() / 10) * MOST_BYTES_IN_10_SECS;
    assert!((log.len() as u64) < most, "{} bytes after {REQUESTS} requests:\n{log}", log.len());
    let is_answer = |line: &&str| line.contains(": answered status=503");
    let written = log.lines().filter(is_answer).count();
    let counted: usize = log.lines().filter_map(|line| left_out(line, "answered")).sum();
    assert_eq!(written + counted, REQUESTS, "each request is written or counted:\n{log}");
    assert!(counted > 0, "{log}");
    // A 503 that asks the client to retry later is not logged as an error.
    let errors = log.lines().filter(|line| line.contains(" ERROR ") && line.contains("answered"));
    assert_eq!(errors.count(), 0, "{log}");
}
