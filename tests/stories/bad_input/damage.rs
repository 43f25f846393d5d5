//! Valid requests with random damage: flipped bits, lost, duplicated or inserted bytes, and truncation at any point.

use futures_util::{StreamExt, stream};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use crate::support::{ADMIN_KEY, Issuer, MASTER_SECRET, Session, exchange};

const PASSWORD: &str = "through-the-looking-glass";
const REQUESTS: usize = 3000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_requests_cause_no_server_error() {
    let seed =
        std::env::var("STORIES_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().expect("a number"));
    println!("STORIES_SEED={seed} repeats the same damage");
    let mut random = StdRng::seed_from_u64(seed);
    let mut issuer = Issuer::start_with(&[("LOG", "trace")]).await;
    issuer.add_account("alice", PASSWORD).await;
    let session = Session::of(&issuer.login("alice", PASSWORD).await);

    let good = good_requests(&session);
    let requests = (0..REQUESTS).map(|number| damaged(&good[number % good.len()], &mut random));
    let requests: Vec<Vec<u8>> = requests.collect();
    let port = issuer.port();
    let answered = stream::iter(requests)
        .map(|request| async move { (exchange(port, &request).await, request) })
        .buffer_unordered(8)
        .fold(0, async |answered, (reply, request)| {
            let status = reply.status.unwrap_or(0);
            // A 503 is allowed too, because the issuer limits how many passwords it hashes at once.
            assert!(status < 500 || status == 503, "{status} for {}", String::from_utf8_lossy(&request));
            answered + usize::from(status > 0)
        })
        .await;

    println!("{answered} of {REQUESTS} damaged requests were answered");
    assert!(answered > REQUESTS / 10 * 9, "only {answered} were answered");
    assert!(issuer.is_alive());
    assert_eq!(issuer.stop().await.code(), Some(0));
    let log = issuer.log();
    assert!(!log.contains("panicked"), "{log}");
    for secret in [ADMIN_KEY, MASTER_SECRET, PASSWORD, &session.refresh, &session.access] {
        assert!(!log.contains(secret), "a secret is in the log output");
    }
}

/// The parts of a request that are damaged: the request line, the additional headers and the body. The framing headers
/// stay intact, so that the damaged parts reach a handler.
type Parts = [Vec<u8>; 3];

fn good_requests(session: &Session) -> Vec<Parts> {
    let request =
        |line: &str, headers: &str, body: &str| [line, headers, body].map(|part| part.as_bytes().to_vec());
    let json = "Content-Type: application/json";
    let form = "Content-Type: application/x-www-form-urlencoded";
    let admin = format!("Authorization: Bearer {ADMIN_KEY}");
    let bearer = format!("Authorization: Bearer {}", session.access);
    let login = json!({ "username": "alice", "password": PASSWORD, "device": "laptop" }).to_string();
    let open = json!({ "sub": "bob", "scope": "a b", "claims": { "a": [1, { "b": null }] } }).to_string();
    let refresh = format!("grant_type=refresh_token&refresh_token={}&client_id=default", session.refresh);
    let cursor = "00000000000000ab:1700000000000000";
    vec![
        request("POST /login HTTP/1.1", json, &login),
        request("POST /token HTTP/1.1", form, &refresh),
        request("POST /revoke HTTP/1.1", form, &format!("token={}x", session.refresh)),
        request("GET /sessions HTTP/1.1", &bearer, ""),
        request("POST /admin/sessions HTTP/1.1", &format!("{admin}\r\n{json}"), &open),
        request("GET /admin/subjects?after=a%20b&limit=3 HTTP/1.1", &admin, ""),
        request("POST /admin/subjects/b%C3%B6b/void HTTP/1.1", &admin, ""),
        request("DELETE /admin/subjects/bob/sessions/00000000000000aa HTTP/1.1", &admin, ""),
        request(&format!("GET /revocations?since={cursor} HTTP/1.1"), "If-None-Match: \"a\", W/\"b\"", ""),
        request("GET /.well-known/jwks.json HTTP/1.1", "Origin: https://app.example", ""),
    ]
}

fn damaged(good: &Parts, random: &mut StdRng) -> Vec<u8> {
    let mut parts = good.clone();
    for _ in 0..random.random_range(1..4) {
        damage(&mut parts[random.random_range(0..3)], random);
    }
    let [line, headers, body] = parts;
    let framing = format!("\r\nHost: issuer\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    [&line, framing.as_bytes(), &headers, b"\r\n\r\n", &body].concat()
}

fn damage(bytes: &mut Vec<u8>, random: &mut StdRng) {
    if bytes.is_empty() {
        return;
    }
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..7) {
        0 => bytes[at] ^= 1 << random.random_range(0..8),
        1 => bytes[at] = random.random(),
        2 => drop(bytes.remove(at)),
        3 => bytes.insert(at, random.random()),
        4 => bytes[at] = b"\0\r\n:%\"\\{}[]&= "[random.random_range(0..14)],
        5 => bytes.truncate(at),
        _ => {
            let end = random.random_range(at..bytes.len());
            let twice = bytes[at..end].to_vec();
            bytes.splice(at..at, twice);
        }
    }
}
