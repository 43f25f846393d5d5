//! Where a request ends. If a proxy and the issuer disagree, one client puts a request into the connection of another.

use super::{Allowed, Case, HIDDEN, Idle, run};
use crate::support::Issuer;

/// A request with these header lines and these bytes behind its head, and [`HIDDEN`] behind them.
fn post(headers: &str, behind: &str) -> Vec<u8> {
    format!(
        "POST /login HTTP/1.1\r\nHost: issuer\r\nContent-Type: application/json\r\n{headers}\r\n\r\n{behind}{HIDDEN}"
    )
    .into_bytes()
}

#[tokio::test]
async fn no_request_hides_behind_another() {
    let mut issuer = Issuer::start().await;
    let idle = Idle::of(&issuer);
    let mut cases = Vec::new();
    let mut add =
        |allowed, name: &str, bytes: Vec<u8>| cases.push(Case { name: name.to_owned(), bytes, allowed });

    // Two statements of the length. A server that takes the length finds the hidden request, and a server that takes
    // the chunks finds it elsewhere.
    let end = "0\r\n\r\n";
    for (name, headers) in [
        ("a length, then chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked"),
        ("chunks, then a length", "Transfer-Encoding: chunked\r\nContent-Length: 5"),
        ("a length of the hidden request, then chunks", "Content-Length: 200\r\nTransfer-Encoding: chunked"),
        ("chunks twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        ("chunks twice in one line", "Transfer-Encoding: chunked, chunked"),
        ("gzip and chunks", "Transfer-Encoding: gzip, chunked"),
    ] {
        add(Allowed::OneAnswer, name, post(headers, end));
    }
    for (name, headers) in [
        ("an unknown coding", "Transfer-Encoding: xchunked"),
        ("identity", "Transfer-Encoding: identity"),
        ("chunks, then identity", "Transfer-Encoding: chunked, identity"),
        ("chunks in quotes", "Transfer-Encoding: \"chunked\""),
        ("chunks with a parameter", "Transfer-Encoding: chunked;q=1"),
        ("chunks, then identity, in two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
        ("an empty coding", "Transfer-Encoding:"),
        ("a vertical tab", "Transfer-Encoding: \x0bchunked"),
        ("a space before the colon", "Transfer-Encoding : chunked"),
        ("a folded line", "Transfer-Encoding:\r\n chunked"),
        ("a line that begins with a space", " Transfer-Encoding: chunked"),
        ("a bare CR between two headers", "X: y\rTransfer-Encoding: chunked"),
        ("NUL in the name", "Transfer\0-Encoding: chunked"),
        ("a plus sign", "Content-Length: +5"),
        ("a minus sign", "Content-Length: -5"),
        ("minus zero", "Content-Length: -0"),
        ("hex", "Content-Length: 0x5"),
        ("an exponent", "Content-Length: 5e0"),
        ("a list of two", "Content-Length: 5, 5"),
        ("two that differ", "Content-Length: 5\r\nContent-Length: 6"),
        ("an empty length", "Content-Length:"),
        ("more than 64 bits", "Content-Length: 18446744073709551617"),
        ("the largest number", "Content-Length: 18446744073709551615"),
    ] {
        add(Allowed::Refusal, name, post(headers, end));
    }
    let known = "Transfer_Encoding: chunked";
    add(Allowed::NotHidden, "an underscore", post(known, end));
    add(
        Allowed::Refusal,
        "chunks in HTTP/1.0",
        format!("POST /login HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n{end}{HIDDEN}").into_bytes(),
    );
    // A correct request behind a correct request is answered, so the cases above can fail.
    let correct = [
        ("a length", "Content-Length: 5"),
        ("chunks", "Transfer-Encoding: chunked"),
        ("chunks in capitals", "TRANSFER-ENCODING: CHUNKED"),
        ("chunks after a tab", "Transfer-Encoding:\tchunked"),
    ];
    for (name, headers) in correct {
        add(Allowed::Exactly(&[400, 404]), &format!("two requests: {name}"), post(headers, end));
    }
    run(&issuer, cases).await;
    idle.is_restored(&mut issuer).await;

    // The chunks are wrong, so no byte behind them is read as another request.
    let chunks = |body: &str| post("Transfer-Encoding: chunked", body);
    let long = "x".repeat(20_000);
    let mut cases = Vec::new();
    for (name, body) in [
        ("no number", "zz\r\n{}\r\n0\r\n\r\n"),
        ("an empty number", "\r\n{}\r\n0\r\n\r\n"),
        ("a minus sign", "-2\r\n{}\r\n0\r\n\r\n"),
        ("a plus sign", "+2\r\n{}\r\n0\r\n\r\n"),
        ("a hex prefix", "0x2\r\n{}\r\n0\r\n\r\n"),
        ("a space before", " 2\r\n{}\r\n0\r\n\r\n"),
        ("2^64 - 1 bytes", "ffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        ("2^68 bytes", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        ("more bytes than stated", "1\r\n{}\r\n0\r\n\r\n"),
        ("no line end behind the data", "2\r\n{}0\r\n\r\n"),
        ("bare line feeds", "2\n{}\n0\n\n"),
        ("a bare CR", "2\r{}\r0\r\r"),
        ("NUL in the number", "2\0\r\n{}\r\n0\r\n\r\n"),
        ("a line feed in an extension", "2;a\nb\r\n{}\r\n0\r\n\r\n"),
        ("a long extension", &format!("2;{long}\r\n{{}}\r\n0\r\n\r\n")),
        ("a long trailer", &format!("2\r\n{{}}\r\n0\r\nX: {long}\r\n\r\n")),
        ("many trailers", &format!("2\r\n{{}}\r\n0\r\n{}\r\n", "a: b\r\n".repeat(5_000))),
        ("20,000 chunks of one byte", &format!("{}0\r\n\r\n", "1\r\n{\r\n".repeat(20_000))),
    ] {
        cases.push(Case {
            name: format!("chunks: {name}"),
            bytes: chunks(body),
            allowed: Allowed::OneAnswer,
        });
    }
    // A trailer is no header, so it does not change where the request ends.
    for trailer in ["Content-Length: 500", "Transfer-Encoding: chunked", "Host: evil.example"] {
        let bytes = chunks(&format!("2\r\n{{}}\r\n0\r\n{trailer}\r\n\r\n"));
        cases.push(Case {
            name: format!("trailer {trailer}"),
            bytes,
            allowed: Allowed::Exactly(&[400, 404]),
        });
    }
    run(&issuer, cases).await;
    idle.is_restored(&mut issuer).await;
    assert_eq!(issuer.stop().await.code(), Some(0));
}
