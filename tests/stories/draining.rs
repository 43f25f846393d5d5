//! A draining issuer reports that it is not ready. The issuer serves all requests until the load balancers have
//! noticed that the issuer is not ready.

use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Follower, Issuer, Session, StreamEnd, eventually};

/// A drain time of one hour. No test waits for a whole hour.
const LONG: &[(&str, &str)] = &[("DRAIN_SECS", "3600")];

#[tokio::test]
async fn b9_a_draining_issuer_is_not_ready_and_serves_everything() {
    let mut issuer = Issuer::start_with(LONG).await;
    let mut follower = Follower::of(&issuer).await;
    let mut session = issuer.open_session("alice").await;
    issuer.signal(Signal::TERM);
    // The issuer is asked twice, because the two nodes of a pair get the requests in turn.
    for _ in 0..2 {
        issuer.until_unready_for("stopping").await;
    }
    for _ in 0..4 {
        let reply = issuer.refresh(&session.refresh).await;
        assert_eq!(reply.headers["connection"], "close", "the next request uses another connection");
        session = Session::of(&reply);
        assert_eq!(issuer.get("/healthz").await.status, 200);
    }
    let late = Follower::of(&issuer).await;
    let kicked = issuer.revoking("/subjects/alice/revoke").await;
    late.reaches(kicked).await;
    late.verify(&session.access).expect_err("kicks reach streams that were opened during the drain");
    // Sends the second signal.
    assert_eq!(issuer.stop().await.code(), Some(0), "{}", issuer.log());
    assert_eq!(follower.stream_end().await, StreamEnd::Clean);
}

#[tokio::test]
async fn b9_a_drain_ends_automatically_and_streams_end_during_it() {
    let mut issuer = Issuer::start_with(&[("DRAIN_SECS", "1")]).await;
    let mut follower = Follower::of(&issuer).await;
    issuer.signal(Signal::INT);
    assert_eq!(follower.stream_end().await, StreamEnd::Clean);
    assert_eq!(issuer.wait().await.code(), Some(0), "{}", issuer.log());
}

/// A proxy may send a request on an idle connection just when the issuer begins to drain. The issuer answers this
/// request, and only then closes the connection.
#[tokio::test]
async fn b9_an_idle_connection_carries_one_more_request() {
    let mut issuer = Issuer::start_with(LONG).await;
    let mut connection = TcpStream::connect(("127.0.0.1", issuer.port())).await.expect("the issuer listens");
    let request = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    connection.write_all(request).await.expect("sent");
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        connection.read_buf(&mut answer).await.expect("an answer");
    }
    issuer.signal(Signal::TERM);
    for _ in 0..2 {
        issuer.until_unready_for("stopping").await;
    }
    connection.write_all(request).await.expect("sent");
    let mut answer = String::new();
    eventually(
        "the request is answered and the connection is closed",
        connection.read_to_string(&mut answer),
    )
    .await
    .expect("an answer");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.to_lowercase().contains("connection: close"),
        "{answer}"
    );
    assert_eq!(issuer.stop().await.code(), Some(0));
}

/// For a while the issuer has no free file descriptors. Afterwards it accepts connections again.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn b2_a_listener_without_file_descriptors_accepts_again() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let issuer = Issuer::start().await;
    let process = Pid::from_raw(issuer.id().cast_signed()).expect("a process");
    let few = Rlimit { current: Some(64), maximum: Some(64) };
    prlimit(Some(process), Resource::Nofile, few).expect("this user owns the process");
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(
            TcpStream::connect(("127.0.0.1", issuer.port()))
                .await
                .expect("the system completes the connection"),
        );
    }
    eventually("the issuer reports that it cannot accept connections", async {
        while !issuer.log().contains("no connection can be accepted") {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    drop(idle);
    issuer.until_alive().await;
    issuer.open_session("alice").await;
}
