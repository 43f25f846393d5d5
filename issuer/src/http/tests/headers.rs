//! The response headers of every route, one by one.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::config::IssuerUrl;
use crate::http::starting;
use crate::life::Life;
use crate::testing::{ADMIN_KEY, Site, Tokens};

const PRIVATE: &str = "no-store";
const KEYS: &str = "public, max-age=60";
const LIST: &str = "public, max-age=10, stale-while-revalidate=10, stale-if-error=10";

/// A route, a good request for it, and the `Cache-Control` of the answer.
struct Row {
    method: Method,
    /// The path as in the route table.
    route: &'static str,
    body: Sent,
    cache: &'static str,
}

enum Sent {
    Nothing,
    Json(Value),
    Form(&'static [(&'static str, &'static str)]),
}

fn row(method: Method, route: &'static str, body: Sent, cache: &'static str) -> Row {
    Row { method, route, body, cache }
}

/// Every route. The order matters: each request needs what the requests before it made. `$access` and `$refresh` in a
/// form are the tokens of the session `{sid}`.
fn rows() -> Vec<Row> {
    use Sent::{Form, Json, Nothing};
    let (get, post, put, delete) = (|| Method::GET, || Method::POST, || Method::PUT, || Method::DELETE);
    let password = "a-long-password-of-alice";
    vec![
        row(get(), "/.well-known/jwks.json", Nothing, KEYS),
        row(get(), "/.well-known/oauth-authorization-server", Nothing, KEYS),
        row(get(), "/.well-known/oauth-authorization-server/{*path}", Nothing, KEYS),
        row(get(), "/revocations", Nothing, LIST),
        row(get(), "/revocations/stream", Nothing, PRIVATE),
        row(get(), "/healthz", Nothing, PRIVATE),
        row(get(), "/readyz", Nothing, PRIVATE),
        row(get(), "/admin/subjects", Nothing, PRIVATE),
        row(post(), "/admin/subjects", Json(json!({ "sub": "bob" })), PRIVATE),
        row(get(), "/admin/subjects/{sub}", Nothing, PRIVATE),
        row(put(), "/admin/subjects/{sub}/password", Json(json!({ "password": password })), PRIVATE),
        row(post(), "/login", Json(json!({ "username": "alice", "password": password })), PRIVATE),
        row(
            post(),
            "/token",
            Form(&[("grant_type", "refresh_token"), ("refresh_token", "$refresh")]),
            PRIVATE,
        ),
        row(post(), "/introspect", Form(&[("token", "$access")]), PRIVATE),
        row(get(), "/sessions", Nothing, PRIVATE),
        row(post(), "/revoke", Form(&[("token", "$refresh")]), PRIVATE),
        row(post(), "/logout", Nothing, PRIVATE),
        row(delete(), "/sessions/{sid}", Nothing, PRIVATE),
        row(delete(), "/admin/subjects/{sub}/sessions/{sid}", Nothing, PRIVATE),
        row(put(), "/admin/subjects/{sub}/claims", Json(json!({ "claims": { "role": "guest" } })), PRIVATE),
        row(post(), "/admin/subjects/{sub}/void", Nothing, PRIVATE),
        row(post(), "/admin/subjects/{sub}/revoke", Nothing, PRIVATE),
        row(post(), "/admin/subjects/{sub}/enable", Nothing, PRIVATE),
        row(post(), "/admin/sessions", Json(json!({ "sub": "alice" })), PRIVATE),
        row(delete(), "/admin/subjects/{sub}", Nothing, PRIVATE),
        row(post(), "/admin/cutoff", Json(json!({ "end_sessions": true })), PRIVATE),
        row(get(), "/admin/keys", Nothing, PRIVATE),
        row(post(), "/admin/keys/rotate", Nothing, PRIVATE),
        row(post(), "/admin/keys/retire", Json(json!({ "kid": "$kid" })), PRIVATE),
        // No session can be opened after this request.
        row(post(), "/admin/subjects/{sub}/disable", Nothing, PRIVATE),
    ]
}

impl Row {
    fn is_operators(&self) -> bool {
        self.route.starts_with("/admin/") || self.route == "/introspect"
    }

    /// Sends the good request, with a new session of alice.
    async fn send(&self, site: &Site) -> Response {
        let Tokens { access, refresh } = site.open_session("alice").await;
        let sid = site.app.verify(&access).expect("a token").claims.sid.to_string();
        let kid = site.app.keys.ring().active().kid().to_string();
        let filled =
            |text: &str| text.replace("$access", &access).replace("$refresh", &refresh).replace("$kid", &kid);
        let path = self.route.replace("{sub}", "alice").replace("{sid}", &sid).replace("{*path}", "tenant");
        let bearer = if self.is_operators() { ADMIN_KEY } else { &access };
        let request = Request::builder().method(&self.method).uri(path);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        let request = match &self.body {
            Sent::Nothing => request.body(Body::empty()),
            Sent::Json(json) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(filled(&json.to_string()))),
            Sent::Form(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, value)| (name, filled(value))).collect();
                request
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(Body::from(serde_urlencoded::to_string(fields).expect("a form")))
            }
        };
        site.send(request.expect("a request")).await
    }
}

#[track_caller]
fn check(headers: &HeaderMap, cache: &str, resource_policy: &str, about: &str) {
    let value = |name: &str| {
        let mut values = headers.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().expect("text").to_owned());
        assert!(values.next().is_none(), "{about}: {name} appears twice");
        value.unwrap_or_default()
    };
    assert_eq!(value("cache-control"), cache, "{about}");
    assert_eq!(value("cross-origin-resource-policy"), resource_policy, "{about}");
    assert_eq!(value("x-content-type-options"), "nosniff", "{about}");
    assert_eq!(value("referrer-policy"), "no-referrer", "{about}");
    assert_eq!(value("x-frame-options"), "DENY", "{about}");
    assert_eq!(value("content-security-policy"), "default-src 'none'; frame-ancestors 'none'", "{about}");
    assert_eq!(value("strict-transport-security"), "max-age=31536000", "{about}");
}

fn resource_policy(route: &str) -> &'static str {
    let is_public = route.starts_with("/.well-known/") || route.starts_with("/revocations");
    if is_public { "cross-origin" } else { "same-origin" }
}

#[tokio::test]
async fn every_answer_has_the_headers_of_its_route() {
    let site = Site::with(&["--issuer", "https://issuer.example/tenant"]).await;
    for row in rows() {
        let about = format!("{} {}", row.method, row.route);
        let answer = row.send(&site).await;
        // A key is announced for a minute before `rotate` accepts it, so the answer here is an error.
        let is_good = answer.status().is_success() || row.route == "/admin/keys/rotate";
        assert!(is_good, "{about}: {}", answer.status());
        check(answer.headers(), row.cache, resource_policy(row.route), &about);
        let path = row.route.replace(['{', '}', '*'], "");
        let wrong = Request::builder().method(Method::PATCH).uri(path).body(Body::empty());
        let wrong = site.send(wrong.expect("a request")).await;
        assert!(wrong.status().is_client_error(), "{about}");
        check(wrong.headers(), PRIVATE, resource_policy(row.route), &format!("PATCH {}", row.route));
    }
    let unknown = site.get("/nothing").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    check(&unknown.headers, PRIVATE, "same-origin", "an unknown path");
}

/// Looks for paths in the source of the route table, because axum does not list the routes of a router.
#[test]
fn the_rows_name_every_route() {
    let source = include_str!("../../http.rs");
    let paths = source.split('"').filter(|text| text.starts_with('/') && !text.contains(' '));
    // This pattern and this path are in the router of the start.
    let table: BTreeSet<_> = paths.filter(|path| *path != "/.well-known/{*path}").collect();
    let rows: BTreeSet<_> = rows().iter().map(|row| row.route).collect();
    assert_eq!(table, rows);
}

#[tokio::test]
async fn the_answers_of_the_start_have_the_same_headers() {
    let issuer: IssuerUrl = "https://issuer.example".parse().expect("a URL");
    let router = starting(&issuer, &[], watch::Sender::new(Life::Starting("a step".into())).subscribe());
    for row in rows() {
        let path = row.route.replace(['{', '}', '*'], "");
        let request = Request::builder().method(&row.method).uri(path).body(Body::empty());
        let answer = router.clone().oneshot(request.expect("a request")).await.expect("an answer");
        check(answer.headers(), PRIVATE, resource_policy(row.route), row.route);
    }
}

#[tokio::test]
async fn only_a_public_https_issuer_asks_browsers_to_use_https() {
    for (issuer, strict) in [
        ("https://id.example.com", true),
        ("https://id.example.com:8443/tenant", true),
        ("http://id.example.com", false),
        ("https://localhost:8787", false),
        ("https://127.0.0.1:8787", false),
    ] {
        let router: Router =
            starting(&issuer.parse().expect("a URL"), &[], watch::Sender::new(Life::Serving).subscribe());
        let request = Request::get("/healthz").body(Body::empty()).expect("a request");
        let answer = router.oneshot(request).await.expect("an answer");
        assert_eq!(answer.headers().contains_key(header::STRICT_TRANSPORT_SECURITY), strict, "{issuer}");
    }
}

/// A browser keeps the answer to a preflight for `Access-Control-Max-Age`, also if `Cache-Control` is `no-store`.
#[tokio::test]
async fn a_preflight_is_answered_as_before() {
    let site = Site::with(&["--issuer", "https://issuer.example/tenant"]).await;
    let request = Request::options("/revocations")
        .header(header::ORIGIN, "https://app.example.com")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET")
        .body(Body::empty());
    let answer = site.send(request.expect("a request")).await;
    assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert_eq!(answer.headers()[header::ACCESS_CONTROL_MAX_AGE], "86400");
    // The answer to a preflight is never embedded, so its policy has no effect.
    check(answer.headers(), PRIVATE, "same-origin", "a preflight");
}
