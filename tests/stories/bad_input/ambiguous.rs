//! On every route, the issuer refuses requests that two programs could interpret differently. A proxy, a cache or a
//! filter in front of the issuer may interpret such a request differently from the issuer.

use doorlist_verifier::Cursor;
use serde_json::Value;

use super::PASSWORD;
use crate::support::{ADMIN_KEY, Issuer, RawReply, Session, exchange};

const JSON: &str = "Content-Type: application/json";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

/// A valid request.
struct Good {
    method: &'static str,
    path: String,
    headers: Vec<String>,
    body: String,
}

impl Good {
    fn new(method: &'static str, path: &str, headers: &[&str], body: &str) -> Self {
        let headers = headers.iter().map(|header| (*header).to_owned()).collect();
        Self { method, path: path.to_owned(), headers, body: body.to_owned() }
    }

    async fn send(&self, port: u16) -> RawReply {
        self.with(port, &self.path, &[], &self.body).await
    }

    /// Sends this request with the given path and body. The headers in `more` are added to the request's own headers.
    async fn with(&self, port: u16, path: &str, more: &[&str], body: &str) -> RawReply {
        let own = self.headers.iter().map(String::as_str);
        let headers: String = own.chain(more.iter().copied()).map(|header| format!("{header}\r\n")).collect();
        let request = format!(
            "{} {path} HTTP/1.1\r\nHost: issuer\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            self.method,
            body.len()
        );
        exchange(port, request.as_bytes()).await
    }
}

/// One valid request for every route.
fn good_requests(session: &Session, held: Cursor) -> Vec<Good> {
    let operator = format!("Authorization: Bearer {ADMIN_KEY}");
    let operator = operator.as_str();
    let user = format!("Authorization: Bearer {}", session.access);
    let login = format!(r#"{{"username":"alice","password":"{PASSWORD}"}}"#);
    let refresh = format!("grant_type=refresh_token&refresh_token={}", session.refresh);
    let get = |path: &str, headers: &[&str]| Good::new("GET", path, headers, "");
    let admin = |method, path: &str, body: &str| match body {
        "" => Good::new(method, path, &[operator], ""),
        body => Good::new(method, path, &[operator, JSON], body),
    };
    vec![
        get("/healthz", &[]),
        get("/readyz", &[]),
        get("/.well-known/jwks.json", &[]),
        get("/.well-known/oauth-authorization-server", &[]),
        get("/revocations", &[]),
        get(&format!("/revocations?since={held}"), &[]),
        get("/revocations?fresh=1796024063", &[]),
        get(&format!("/revocations?since={held}&fresh=1796024063"), &[]),
        Good::new("POST", "/login", &[JSON], &login),
        Good::new("POST", "/token", &[FORM], &refresh),
        Good::new("POST", "/revoke", &[FORM], "token=none"),
        Good::new("POST", "/introspect", &[operator, FORM], "token=none"),
        get("/sessions", &[&user]),
        Good::new("DELETE", "/sessions/00000000000000aa", &[&user], ""),
        Good::new("POST", "/logout", &[&user], ""),
        admin("GET", "/admin/subjects", ""),
        admin("GET", "/admin/subjects?limit=1&after=a", ""),
        admin("POST", "/admin/subjects", r#"{"sub":"bob","password":"builder-of-things"}"#),
        admin("GET", "/admin/subjects/bob", ""),
        admin(
            "POST",
            "/admin/sessions",
            r#"{"sub":"bob","client_id":"app","scope":"a","device":"b","claims":{}}"#,
        ),
        admin("PUT", "/admin/subjects/bob/claims", r#"{"claims":{}}"#),
        admin("PUT", "/admin/subjects/bob/password", r#"{"password":"builder-of-things"}"#),
        admin("POST", "/admin/subjects/bob/void", ""),
        admin("POST", "/admin/subjects/bob/revoke", ""),
        admin("POST", "/admin/subjects/bob/disable", ""),
        admin("POST", "/admin/subjects/bob/enable", ""),
        admin("DELETE", "/admin/subjects/bob/sessions/00000000000000aa", ""),
        admin("DELETE", "/admin/subjects/bob", ""),
        admin("POST", "/admin/cutoff", r#"{"end_sessions":false}"#),
        admin("GET", "/admin/keys", ""),
        admin("POST", "/admin/keys/retire", r#"{"kid":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#),
        admin("POST", "/admin/keys/rotate", ""),
    ]
}

#[tokio::test]
async fn b17_ambiguous_requests_are_refused_on_every_route() {
    let issuer = Issuer::start().await;
    issuer.add_account("alice", PASSWORD).await;
    let session = Session::of(&issuer.login("alice", PASSWORD).await);
    let port = issuer.port();
    let mut wrong = Vec::new();
    for good in good_requests(&session, issuer.log_position().await) {
        let refused = async |what: &str, reply: RawReply| {
            let named = reply.error().as_deref() == Some("invalid_request");
            (reply.status != Some(400) || !named).then(|| {
                format!(
                    "{} {}, {what}: {:?} {}",
                    good.method,
                    good.path,
                    reply.status,
                    String::from_utf8_lossy(&reply.body)
                )
            })
        };
        let separator = if good.path.contains('?') { '&' } else { '?' };
        let mut queries = vec!["utm_source=x".to_owned(), "=".to_owned(), String::new()];
        if let Some((_, query)) = good.path.split_once('?') {
            queries.push(query.to_owned());
        }
        for query in queries {
            let path = format!("{}{separator}{query}", good.path);
            wrong.extend(
                refused(&format!("query …{separator}{query}"), good.with(port, &path, &[], &good.body).await)
                    .await,
            );
        }
        let own = good.headers.iter().map(String::as_str);
        for header in own.chain(["Host: issuer"]) {
            let reply = good.with(port, &good.path, &[header], &good.body).await;
            wrong.extend(refused(&format!("{header:.14} twice"), reply).await);
        }
        for header in ["Origin: https://app.example", "Sec-Fetch-Site: same-origin", "Last-Event-ID: x"] {
            let reply = good.with(port, &good.path, &[header, header], &good.body).await;
            wrong.extend(refused(&format!("{header} twice"), reply).await);
        }
        if let Ok(Value::Object(members)) = serde_json::from_str(&good.body) {
            let by_position = Value::Array(members.values().cloned().collect()).to_string();
            wrong.extend(refused("an array", good.with(port, &good.path, &[], &by_position).await).await);
            let inner =
                good.body.strip_prefix('{').and_then(|body| body.strip_suffix('}')).expect("an object");
            let twice = format!("{{{inner},{inner}}}");
            wrong.extend(refused("each member twice", good.with(port, &good.path, &[], &twice).await).await);
        }
        let status = good.send(port).await.status;
        if !matches!(status, Some(200 | 201 | 404 | 409)) {
            wrong.push(format!("{} {} is good as it stands: {status:?}", good.method, good.path));
        }
    }
    assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn b17_a_list_has_one_address_and_a_second_one_that_bypasses_caches() {
    let issuer = Issuer::start_with(&[("HEARTBEAT_SECS", "30")]).await;
    let held = issuer.log_position().await;
    let (epoch, seq) = held
        .to_string()
        .split_once(':')
        .map(|(epoch, seq)| (epoch.to_owned(), seq.to_owned()))
        .expect("a cursor");
    let port = issuer.port();
    let get = async |path: String| Good::new("GET", &path, &[], "").send(port).await;
    for query in [
        format!("since={epoch}%3A{seq}"),
        format!("since={epoch}%3a{seq}"),
        format!("since={epoch}:0{seq}"),
        format!("since=%{:02x}{}:{seq}", epoch.as_bytes()[0], &epoch[1..]),
        format!("since=+{held}"),
        format!("since={held}&fresh="),
        format!("since={held}&fresh=x"),
        format!("since={held}&fresh=-1"),
        format!("since={held}&fresh=1.5"),
        format!("since={held}&fresh=%31"),
        format!("since={held}&fresh={}", "1".repeat(21)),
        format!("fresh=1&since={held}"),
        "fresh=1&fresh=2".to_owned(),
        "fresh".to_owned(),
        "since".to_owned(),
    ] {
        for path in ["/revocations", "/revocations/stream"] {
            let reply = get(format!("{path}?{query}")).await;
            assert_eq!(
                (reply.status, reply.error().as_deref()),
                (Some(400), Some("invalid_request")),
                "{path}?{query}"
            );
        }
    }
    let reply = get("/revocations/stream?fresh=1".to_owned()).await;
    assert_eq!(reply.status, Some(400), "no cache keeps a stream");

    let cached = |reply: &RawReply| -> Vec<String> {
        let kept = ["etag:", "cache-control:", "vary:", "content-type:"];
        let lines = reply.head.lines().filter(|line| kept.iter().any(|name| line.starts_with(name)));
        lines.map(str::to_owned).collect()
    };
    for (plain, past_a_cache) in [
        ("/revocations".to_owned(), format!("/revocations?fresh={}", "9".repeat(20))),
        (format!("/revocations?since={held}"), format!("/revocations?since={held}&fresh=0")),
    ] {
        let (plain, fresh) = (get(plain).await, get(past_a_cache).await);
        assert_eq!((plain.status, fresh.status), (Some(200), Some(200)));
        assert_eq!(plain.body, fresh.body, "both answers have the same bytes");
        assert_eq!(cached(&plain).len(), 4, "{}", plain.head);
        assert_eq!(cached(&plain), cached(&fresh), "caches keep both for the same time");
    }
}
