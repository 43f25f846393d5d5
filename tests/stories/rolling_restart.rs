//! Two issuers on one Redis, behind a real nginx, are restarted one after the other under load. Each refresh rotates
//! the token, so a refresh that was executed twice would be visible.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;

use crate::support::{Issuer, Nginx, Pair, Session, Way, eventually};

/// Clients that refresh concurrently, each with its own session.
const CLIENTS: usize = 48;

/// The observations of the clients.
#[derive(Default)]
struct Seen {
    answered: AtomicU64,
    lost: AtomicU64,
    /// Whether both nodes run again.
    restarted: AtomicBool,
    /// The node that nginx used last.
    upstream: Mutex<String>,
}

/// Refreshes until enough requests were answered and both nodes run again. If a request returns no new token, the
/// client retries with its current token, as every client does.
async fn refreshes(nginx: String, mut session: Session, at_least: u64, seen: Arc<Seen>) -> Session {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    while !seen.restarted.load(Ordering::Acquire) || seen.answered.load(Ordering::Acquire) < at_least {
        let form = [("grant_type", "refresh_token"), ("refresh_token", &session.refresh)];
        let reply = crate::support::try_send(client.post(format!("{nginx}/token")).form(&form)).await;
        match reply {
            Ok(reply) if reply.status == 200 => {
                seen.answered.fetch_add(1, Ordering::AcqRel);
                let upstream = reply.headers["x-upstream"].to_str().expect("an address").to_owned();
                // If nginx tried several nodes, the last node answered.
                let upstream = upstream.rsplit(", ").next().unwrap_or_default().to_owned();
                *seen.upstream.lock().expect("no thread panicked") = upstream;
                session = Session::of(&reply);
            }
            Ok(reply) => {
                assert_ne!(reply.status, 400, "a session was lost: {}", reply.text());
                seen.lost.fetch_add(1, Ordering::AcqRel);
            }
            Err(error) => panic!("nginx does not answer: {error}"),
        }
    }
    session
}

/// Restarts both nodes under load. Returns how many refreshes were answered and how many were not.
async fn restart_under_load(way: Way, at_least: u64) -> (u64, u64) {
    // For measurements, this environment variable changes the drain time.
    let drain_secs = std::env::var("STORIES_DRAIN_SECS").unwrap_or_else(|_| "2".to_owned());
    let settings = [("DRAIN_SECS", drain_secs.as_str()), ("REFRESH_GRACE_SECS", "0"), ("LOG", "info")];
    let mut pair = Pair::start_with(&settings).await;
    let nginx = Nginx::before([pair.a.port(), pair.b.port()], way);
    let (seen, mut clients) = (Arc::new(Seen::default()), JoinSet::new());
    for number in 0..CLIENTS {
        let session = pair.a.open_session(&format!("subject-{number}")).await;
        clients.spawn(refreshes(nginx.url(), session, at_least, Arc::clone(&seen)));
    }
    for node in [&mut pair.a, &mut pair.b] {
        until_asked(node, &seen).await;
        assert_eq!(node.stop().await.code(), Some(0));
        node.restart().await;
        node.until_ready().await;
        // If nginx could not reach a server, it tries that server again only after the server's `fail_timeout`.
        until_asked(node, &seen).await;
    }
    seen.restarted.store(true, Ordering::Release);
    let sessions = tokio::time::timeout(std::time::Duration::from_secs(600), clients.join_all()).await;
    for session in sessions.expect("the clients finish") {
        Session::of(&pair.b.refresh(&session.refresh).await);
    }
    let (answered, lost) = (seen.answered.load(Ordering::Acquire), seen.lost.load(Ordering::Acquire));
    println!("nginx, {way:?}, a drain of {drain_secs} s: {lost} of {} refreshes were lost", answered + lost);
    (answered, lost)
}

/// Waits until nginx sends requests to this node.
async fn until_asked(node: &Issuer, seen: &Seen) {
    let address = format!("127.0.0.1:{}", node.port());
    eventually("nginx sends a request to the node", async {
        while *seen.upstream.lock().expect("no thread panicked") != address {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b9_a_rolling_restart_behind_nginx_loses_none_of_20000_refreshes() {
    let (answered, lost) = restart_under_load(Way::Documented, 20_000).await;
    assert!(answered >= 20_000, "{answered}");
    assert_eq!(lost, 0, "of {answered}");
}

/// A client that retries with its current token keeps its session, regardless of the proxy's answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b9_a_rolling_restart_behind_the_defaults_of_nginx_loses_no_session() {
    let (answered, _) = restart_under_load(Way::Defaults, 5_000).await;
    assert!(answered >= 5_000, "{answered}");
}
