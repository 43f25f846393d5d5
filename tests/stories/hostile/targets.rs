//! What a request is for: its method, its target and its host. No spelling leads past the admin key, and no header
//! changes the method or the target.

use serde_json::json;

use super::{Allowed, Case, Idle, run, sent};
use crate::support::{ADMIN_KEY, Issuer};

fn get(target: &str, headers: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: issuer\r\n{headers}Connection: close\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn no_spelling_of_a_request_leads_past_the_admin_key() {
    let mut issuer = Issuer::start().await;
    let alice = issuer.open_session("alice").await;
    let idle = Idle::of(&issuer);
    let mut cases = Vec::new();
    let mut add =
        |allowed, name: &str, bytes: Vec<u8>| cases.push(Case { name: name.to_owned(), bytes, allowed });

    for target in [
        "/admin/subjects",
        "//admin/subjects",
        "/./admin/subjects",
        "/x/../admin/subjects",
        "/healthz/../admin/subjects",
        "/healthz%2f..%2fadmin/subjects",
        "/healthz;/../admin/subjects",
        "/.well-known/../admin/subjects",
        "/%61dmin/subjects",
        "/%2561dmin/subjects",
        "/admin%2fsubjects",
        "/admin%5csubjects",
        "/admin;x/subjects",
        "/admin/subjects;x",
        "/admin/subjects/",
        "/admin//subjects",
        "/admin/subjects%00",
        "/admin/subjects%20",
        "/admin/subjects%0d%0aX-Injected:%201",
        "/ADMIN/subjects",
        "/admin/subjects/..%2f..%2fhealthz",
        "/admin/subjects?healthz",
        "http://issuer/admin/subjects",
        "http://evil.example/admin/subjects",
        "http://issuer@evil.example/admin/subjects",
        "*",
        "admin/subjects",
        "?",
        "#",
        "/admin/subjects#/healthz",
    ] {
        add(Allowed::Refusal, target, get(target, ""));
    }
    for spoof in [
        "X-Forwarded-For: 127.0.0.1",
        "Forwarded: for=127.0.0.1;proto=https",
        "X-Real-IP: 127.0.0.1",
        "X-Original-URL: /healthz",
        "X-Rewrite-URL: /healthz",
        "X-Forwarded-Prefix: /admin",
        "Connection: Authorization",
        "Authorization: Basic YWRtaW46YWRtaW4=",
        "X-Admin-Key: admin",
    ] {
        add(Allowed::Exactly(&[401]), spoof, get("/admin/subjects", &format!("{spoof}\r\n")));
    }
    // The target is the one in the request line, and the method too: with the admin key, these would delete `alice`.
    for header in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        let headers = format!("Authorization: Bearer {ADMIN_KEY}\r\n{header}: DELETE\r\n");
        add(Allowed::Exactly(&[200]), header, get("/admin/subjects/alice", &headers));
        let post = format!(
            "POST /admin/subjects/alice HTTP/1.1\r\nHost: issuer\r\nConnection: close\r\n{headers}Content-Length: 14\r\nContent-Type: \
             application/x-www-form-urlencoded\r\n\r\n_method=DELETE"
        );
        add(Allowed::Exactly(&[405]), &format!("POST, {header}"), post.into_bytes());
    }
    for header in ["X-Original-URL", "X-Rewrite-URL"] {
        add(Allowed::Exactly(&[200]), header, get("/healthz", &format!("{header}: /admin/subjects\r\n")));
    }
    for (name, line) in [
        ("two spaces", "GET  /healthz HTTP/1.1"),
        ("a tab", "GET\t/healthz\tHTTP/1.1"),
        ("more behind the version", "GET /healthz HTTP/1.1 x"),
        ("a version in small letters", "GET /healthz http/1.1"),
        ("an answer", "HTTP/1.1 200 OK"),
        ("no target", "GET HTTP/1.1"),
        ("CONNECT", "CONNECT evil.example:443 HTTP/1.1"),
        ("CONNECT to a path", "CONNECT /admin/subjects HTTP/1.1"),
        ("NUL in the method", "GE\0T /healthz HTTP/1.1"),
        ("a line feed in the target", "GET /heal\nthz HTTP/1.1"),
        ("OPTIONS of everything", "OPTIONS * HTTP/1.1"),
    ] {
        let bytes = format!("{line}\r\nHost: issuer\r\nConnection: close\r\n\r\n").into_bytes();
        add(Allowed::Refusal, name, bytes);
    }
    run(&issuer, cases).await;
    assert_eq!(issuer.session_count("alice").await, 1, "nothing was deleted");
    issuer.refresh(&alice.refresh).await.ok();
    idle.is_restored(&mut issuer).await;
    assert_eq!(issuer.stop().await.code(), Some(0));
}

#[tokio::test]
async fn the_host_of_a_request_changes_no_answer() {
    let mut issuer = Issuer::start().await;
    let idle = Idle::of(&issuer);
    let with_host = |line: &str| {
        format!("GET /.well-known/oauth-authorization-server HTTP/1.1\r\n{line}Connection: close\r\n\r\n")
            .into_bytes()
    };
    // RFC 9112 §3.2: exactly one `Host`.
    for (name, line) in [
        ("no host", ""),
        ("two hosts", "Host: issuer\r\nHost: evil.example\r\n"),
        ("a space", "Host : evil.example\r\n"),
    ] {
        let bytes = with_host(line);
        run(&issuer, vec![Case { name: name.to_owned(), bytes, allowed: Allowed::Exactly(&[400]) }]).await;
    }
    for line in [
        "Host:\r\n",
        "Host: evil.example\r\n",
        "Host: evil.example:99999\r\n",
        "Host: issuer@evil.example\r\n",
        "Host: evil.example/path\r\n",
        "Host: evil.example#\r\n",
        "Host: [::1\r\n",
        "Host: issuer\r\nX-Forwarded-Host: evil.example\r\n",
        "Host: issuer\r\nForwarded: host=evil.example\r\n",
    ] {
        let answer = sent(issuer.port(), &with_host(line)).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 400"), "{line}: {answer}");
        assert!(!answer.contains("evil.example"), "{line}: {answer}");
    }
    idle.is_restored(&mut issuer).await;
}

#[tokio::test]
async fn line_ends_in_values_reach_neither_a_header_nor_a_line_of_log_output() {
    let mut issuer = Issuer::start().await;
    let idle = Idle::of(&issuer);
    let value = "a\r\nX-Injected: 1\r\n\r\n\u{1b}[31m\u{202e}\u{2028}";
    let replies = [
        issuer.admin_post("/sessions", json!({ "sub": "alice", "device": value })).await,
        issuer.admin_post("/sessions", json!({ "sub": "alice", "client_id": value })).await,
        issuer.admin_post("/sessions", json!({ "sub": "alice", "scope": value })).await,
        issuer.admin_post("/sessions", json!({ "sub": "alice", "claims": { "note": value } })).await,
        issuer.admin_post("/sessions", json!({ "sub": value })).await,
        issuer.admin_post("/subjects", json!({ "sub": value, "password": "down-the-rabbit-hole" })).await,
        issuer.login(value, value).await,
        issuer.refresh(value).await,
        issuer.revoke(value).await,
    ];
    for reply in replies {
        assert!(!reply.status.is_server_error(), "{} {}", reply.request, reply.status);
        assert!(!reply.headers.contains_key("x-injected"), "{}", reply.request);
    }
    for header in ["Origin", "Cookie", "X-Request-Id", "User-Agent", "Last-Event-ID"] {
        let headers = format!("{header}: a%0d%0aX-Injected: 1\x09\r\n");
        let answer =
            String::from_utf8_lossy(&sent(issuer.port(), &get("/healthz", &headers)).await).to_lowercase();
        assert!(!answer.contains("\nx-injected"), "{answer}");
    }
    idle.is_restored(&mut issuer).await;
}
