//! After a flood of connections, the issuer gives the memory of these connections back to the system.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{EMBEDDED, Issuer, Settings, allow_open_files, eventually, resident};

/// The number of streams. This many streams are enough to double the memory of an issuer that has just started.
const STREAMS: usize = 4_000;

async fn stream(port: u16) -> TcpStream {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await.expect("the issuer listens");
    connection.write_all(b"GET /revocations/stream HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut head = [0; 12];
    connection.read_exact(&mut head).await.expect("an answer");
    assert_eq!(&head, b"HTTP/1.1 200");
    connection
}

#[tokio::test]
async fn b18_memory_is_released_after_a_flood_of_streams() {
    // Each of the two processes needs one open file for each stream. The issuer inherits the limit.
    allow_open_files(STREAMS as u64 + 1000);
    let per_address = STREAMS.to_string();
    let settings: Settings<'_> = &[("LOG", "info"), ("MAX_PER_ADDRESS", &per_address)];
    let issuer = Issuer::start_with(&[EMBEDDED, settings].concat()).await;
    issuer.until_ready().await;
    issuer.open_session("alice").await;
    let process = issuer.id();
    let before = resident(process);
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        streams.push(eventually("a stream begins", stream(issuer.port())).await);
    }
    let during = resident(process);
    assert!(during > before * 3 / 2, "the flood is large enough to be seen: {before} bytes, then {during}");

    drop(streams);

    eventually("the memory is returned", async {
        let mut least = u64::MAX;
        while least > before * 3 / 2 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = resident(process);
            if now < least {
                least = now;
                println!("{} KiB before, {} KiB during, {} KiB now", before >> 10, during >> 10, now >> 10);
            }
        }
    })
    .await;
}
