//! One client opens as many connections and streams as it can. All other clients are served as before.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{EMBEDDED, Issuer, allow_open_files, eventually};

/// The usual limit of open files of a process.
const OPEN_FILES: u64 = 1024;
/// The number of streams. The process is not allowed to open this many files.
const STREAMS: usize = 1140;

/// Requests a stream from an address that no other client of the story uses. Returns the connection and the first line
/// of the answer.
async fn stream(issuer: &Issuer) -> (TcpStream, String) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from(([127, 0, 0, 2], 0))).expect("Linux has all addresses of 127.0.0.0/8");
    let address = SocketAddr::from(([127, 0, 0, 1], issuer.port()));
    let mut connection = socket.connect(address).await.expect("the system completes the connection");
    // If the connection is refused, it is possible that the request is not sent completely.
    let _ = connection.write_all(b"GET /revocations/stream HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut line = vec![0; 12];
    let read = connection.read_exact(&mut line).await;
    let line = read.map_or_else(|error| error.to_string(), |_| String::from_utf8_lossy(&line).into_owned());
    (connection, line)
}

#[tokio::test]
async fn b11_one_client_with_many_streams_shuts_out_no_other_client() {
    allow_open_files(OPEN_FILES + STREAMS as u64);
    let mut issuer = Issuer::stopped(EMBEDDED).with_open_files(OPEN_FILES);
    issuer.restart().await;
    issuer.until_ready().await;
    let alice = issuer.open_session("alice").await;
    issuer.open_session("bob").await;

    let (mut held, mut refused) = (Vec::new(), 0);
    for _ in 0..STREAMS {
        let (connection, line) = eventually("an answer or a closed connection", stream(&issuer)).await;
        match line.as_str() {
            "HTTP/1.1 200" => held.push(connection),
            // If the connection is closed, the answer can be lost.
            _ => refused += 1,
        }
    }

    // A quarter of the connections that 1,024 files allow.
    assert_eq!((held.len(), refused), (224, STREAMS - 224));
    assert_eq!(issuer.get("/healthz").await.status, 200);
    assert_eq!(issuer.get("/readyz").await.status, 200);
    assert_eq!(issuer.refresh(&alice.refresh).await.status, 200);
    assert_eq!(issuer.admin_post("/subjects/bob/revoke", serde_json::Value::Null).await.status, 200);
    let lines = issuer.log().matches("connections were refused").count();
    assert!((1..=3).contains(&lines), "{lines} lines of log output about {refused} refused connections");

    drop(held);
    eventually("the same client is served again", async {
        while stream(&issuer).await.1 != "HTTP/1.1 200" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}
