//! Too much of everything, and clients that stop in the middle.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Allowed, Case, Idle, run, sent, statuses};
use crate::support::{Issuer, eventually};

fn login(headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST /login HTTP/1.1\r\nHost: issuer\r\nConnection: close\r\nContent-Type: \
         application/json\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

#[tokio::test]
async fn too_much_of_anything_is_refused() {
    let mut issuer = Issuer::start().await;
    // The first requests of a process allocate what later requests use again.
    run(
        &issuer,
        vec![Case { name: "one".into(), bytes: login("", "{}"), allowed: Allowed::Exactly(&[400]) }],
    )
    .await;
    let idle = Idle::of(&issuer);
    let head = |line: &str, headers: &str| {
        format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")
    };
    let long = "x".repeat(1 << 20);
    let nested = |open: &str, count: usize| format!("{{\"username\":{}", open.repeat(count));
    let cases = [
        ("a target of 1 MiB", head(&format!("GET /{long}"), "").into_bytes()),
        ("a query of 1 MiB", head(&format!("GET /revocations?since={long}"), "").into_bytes()),
        ("a method of 1 MiB", head(&format!("{long} /"), "").into_bytes()),
        ("a header of 1 MiB", head("GET /nothing", &format!("a: {long}\r\n")).into_bytes()),
        ("a header name of 1 MiB", head("GET /nothing", &format!("{long}: a\r\n")).into_bytes()),
        ("50,000 headers", head("GET /nothing", &"a: b\r\n".repeat(50_000)).into_bytes()),
        (
            "99 headers of 600 bytes",
            head("GET /nothing", &format!("a: {}\r\n", &long[..600]).repeat(96)).into_bytes(),
        ),
        ("10,000 parameters", head(&format!("GET /revocations?{}", "a=b&".repeat(10_000)), "").into_bytes()),
        (
            "a cookie of 60,000 bytes",
            head("GET /sessions", &format!("Cookie: a={}\r\n", &long[..60_000])).into_bytes(),
        ),
        ("a body of 1 MiB", login("", &long)),
        ("a body of 1 MiB that waits for a permission", login("Expect: 100-continue\r\n", &long)),
        ("a body that is stated to have 2^60 bytes", {
            b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: \
              1152921504606846976\r\nConnection: close\r\n\r\n{"
                .to_vec()
        }),
        ("16,000 levels of arrays", login("", &nested("[", 16_000))),
        ("3,000 levels of objects", login("", &nested("{\"a\":", 3_000))),
        ("a number of 16,000 digits", login("", &format!("{{\"username\":{}}}", "9".repeat(16_000)))),
        ("2,600 members of one name", login("", &format!("{{{}}}", vec!["\"a\":1"; 2_600].join(",")))),
        ("a compressed body", login("Content-Encoding: gzip\r\n", "\u{1f}\u{8b}")),
    ];
    let case =
        |(name, bytes): (&str, Vec<u8>)| Case { name: name.to_owned(), bytes, allowed: Allowed::Refusal };
    run(&issuer, cases.into_iter().map(case).collect()).await;
    idle.is_restored(&mut issuer).await;
    assert_eq!(issuer.stop().await.code(), Some(0));
}

#[tokio::test]
async fn two_hundred_requests_in_one_go_get_two_hundred_answers() {
    let mut issuer = Issuer::start().await;
    let idle = Idle::of(&issuer);
    let one = "GET /.well-known/jwks.json HTTP/1.1\r\nHost: issuer\r\n\r\n";
    let last = "GET /healthz HTTP/1.1\r\nHost: issuer\r\nConnection: close\r\n\r\n";
    let answer = sent(issuer.port(), (one.repeat(199) + last).as_bytes()).await;
    assert_eq!(statuses(&answer), Ok(vec![200; 200]));
    idle.is_restored(&mut issuer).await;
}

#[tokio::test]
async fn clients_that_stop_in_the_middle_hold_up_no_other_client() {
    let mut issuer = Issuer::start().await;
    let session = issuer.open_session("alice").await;
    let idle = Idle::of(&issuer);
    let unfinished: [&[u8]; 6] = [
        b"",
        b"G",
        b"GET /healthz HTTP/1.1\r\nHost: issuer\r\nX-Slow: ",
        b"POST /login HTTP/1.1\r\nHost: issuer\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        b"POST /login HTTP/1.1\r\nHost: issuer\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{",
        b"GET /revocations/stream HTTP/1.1\r\nHost: issuer\r\n\r\n",
    ];
    let mut held = Vec::new();
    for bytes in unfinished.into_iter().cycle().take(120) {
        let mut connection =
            TcpStream::connect(("127.0.0.1", issuer.port())).await.expect("the issuer listens");
        connection.write_all(bytes).await.expect("the issuer reads");
        held.push(connection);
    }
    // The issuer has accepted every connection: each stream has begun to answer.
    for stream in held.iter_mut().skip(unfinished.len() - 1).step_by(unfinished.len()) {
        eventually("a stream begins", stream.read_u8()).await.expect("an answer");
    }
    assert_eq!(issuer.get("/healthz").await.status, 200);
    issuer.refresh(&session.refresh).await.ok();
    issuer.open_session("bob").await;
    issuer.revoking("/subjects/bob/revoke").await;
    drop(held);
    idle.is_restored(&mut issuer).await;
    assert_eq!(issuer.stop().await.code(), Some(0));
}
