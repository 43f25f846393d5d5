//! Any bytes on a connection of a whole issuer in this process. The issuer answers or closes the connection, and no
//! answer is a server error.

#![no_main]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use clap::Parser;
use doorlist::config::Settings;
use doorlist::server::{AtHangup, ServeError, Server, Signals};
use libfuzzer_sys::fuzz_target;

/// Behind the input, so that each input ends with a whole request, unless it states a longer body.
const LAST: &[u8] = b"\r\n\r\nGET /healthz HTTP/1.1\r\nHost: issuer\r\nConnection: close\r\n\r\n";
/// If no answer comes for this long, the input is a part of a longer request. It then ends.
const PATIENCE: Duration = Duration::from_millis(20);

#[derive(Parser)]
struct Serve {
    #[command(flatten)]
    settings: Settings,
}

/// The address of the issuer, which runs as long as the process.
static ADDRESS: LazyLock<String> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("doorlist-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let store = format!("embedded:{}", folder.join("doorlist.redb").display());
    let flags =
        ["serve", "--listen", "127.0.0.1:0", "--store", &store, "--admin-key", "the-admin-key-of-the-fuzzer"];
    let settings = Serve::try_parse_from(flags).expect("settings").settings;
    let (ready, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let signals = Signals::install(AtHangup::End).expect("signals");
            let announce = |address: &str| Ok(ready.send(address.to_owned()).expect("the fuzzer waits"));
            let server = Server::bind(settings).await.expect("a free port");
            server
                .run::<ServeError>(signals, async |_| Ok(Router::new()), announce)
                .await
                .expect("an issuer");
        });
        std::process::exit(0);
    });
    let address = address.recv().expect("an address");
    address.trim_start_matches("http://").to_owned()
});

fuzz_target!(|bytes: &[u8]| {
    // A login hashes a password, and a stream does not end: both would only cost time.
    if find(bytes, b"password") || find(bytes, b"stream") {
        return;
    }
    let mut connection = TcpStream::connect(ADDRESS.as_str()).expect("the issuer listens");
    connection.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let _ = connection.write_all(&[bytes, LAST].concat());
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match connection.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let _ = connection.shutdown(Shutdown::Write);
                connection.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
            }
            // The issuer may close a connection that still has bytes of a refused request.
            Err(_) => break,
        }
    }
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{}", String::from_utf8_lossy(&answer));
    for status in ["500", "501", "502", "503", "504"] {
        let begin = format!("HTTP/1.1 {status} ");
        assert!(!find(&answer, begin.as_bytes()), "{}", String::from_utf8_lossy(&answer));
    }
});

fn find(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}
