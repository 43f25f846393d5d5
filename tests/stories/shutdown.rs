//! SIGTERM: streams end with a clean close, pending requests are answered, and the exit code is 0.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Follower, Issuer, StreamEnd};

#[tokio::test]
async fn streams_end_cleanly_and_the_exit_code_is_zero() {
    let mut issuer = Issuer::start().await;
    let mut followers = [Follower::of(&issuer).await, Follower::of(&issuer).await];
    for follower in &followers {
        follower.reaches(follower.cursor()).await;
    }

    let status = issuer.stop().await;

    assert_eq!(status.code(), Some(0), "{}", issuer.log());
    for follower in &mut followers {
        assert_eq!(follower.stream_end().await, StreamEnd::Clean);
    }
}

#[tokio::test]
async fn the_stream_of_a_killed_issuer_does_not_end_cleanly() {
    let mut issuer = Issuer::start().await;
    let mut follower = Follower::of(&issuer).await;
    issuer.kill().await;
    assert_eq!(follower.stream_end().await, StreamEnd::Broken);
}

#[tokio::test]
async fn ctrl_c_causes_a_graceful_shutdown_too() {
    let mut issuer = Issuer::start().await;
    let mut follower = Follower::of(&issuer).await;
    issuer.signal(rustix::process::Signal::INT);
    assert_eq!(issuer.wait().await.code(), Some(0));
    assert_eq!(follower.stream_end().await, StreamEnd::Clean);
}

#[tokio::test]
async fn a_request_in_progress_at_the_shutdown_is_answered() {
    let mut issuer = Issuer::start().await;
    issuer.add_account("alice", "wonderland").await;
    // A login takes some time, because the password is hashed slowly.
    let body = r#"{"username":"alice","password":"wonderland"}"#;
    let mut connection =
        tokio::net::TcpStream::connect(("127.0.0.1", issuer.port())).await.expect("the issuer listens");
    let request = format!(
        "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    connection.write_all(request.as_bytes()).await.expect("sent");
    // The issuer has answered `100 Continue`, so the head of the request has arrived.
    let mut go_on = [0; 25];
    connection.read_exact(&mut go_on).await.expect("100 Continue");
    issuer.signal(rustix::process::Signal::TERM);
    connection.write_all(body.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(issuer.wait().await.code(), Some(0));
}

/// A caller that reads "listening" may stop the issuer immediately.
#[tokio::test]
async fn an_issuer_can_be_stopped_as_soon_as_it_listens() {
    let mut issuer = Issuer::start().await;
    for _ in 0..5 {
        assert_eq!(issuer.stop().await.code(), Some(0));
        issuer.restart().await;
    }
}
